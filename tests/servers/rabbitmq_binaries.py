"""RabbitMQ: installed, or Debian's packages unpacked into the project's folder.

No package index of pip carries it. Nothing here needs root or changes the system.
"""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.local.errors import LocalServerError
from deploy.local.folders import LOCAL, outside_folder
from tests.servers import debian

_INSTALLED = (
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*",
    "/opt/rabbitmq",
    "/opt/homebrew/opt/rabbitmq",
    "/usr/local/opt/rabbitmq",
)
_WHAT_TO_DO = (
    "install rabbitmq-server (3.10 or newer),"
    " or set SIRENADE_TEST_RABBITMQ_URL to a server that tests may use"
)


@dataclass(frozen=True)
class RabbitmqBinaries:
    root: Path
    """The folder of `sbin/rabbitmq-server`: RabbitMQ's script, no wrapper that changes user."""
    path: tuple[Path, ...] = ()
    """The folders to put before PATH."""
    libraries: tuple[Path, ...] = ()

    @property
    def server(self) -> Path:
        return self.root / "sbin" / "rabbitmq-server"

    @property
    def ctl(self) -> Path:
        return self.root / "sbin" / "rabbitmqctl"


def find_or_fetch_rabbitmq() -> RabbitmqBinaries:
    """Return an installed RabbitMQ, else the unpacked one; fetch it (35 MB) where it is missing."""
    return _installed() or _unpacked(_unpack_folder()) or _fetch(_unpack_folder())


def _installed() -> RabbitmqBinaries | None:
    for pattern in _INSTALLED:
        for root in sorted(Path("/").glob(pattern[1:]), reverse=True):
            binaries = RabbitmqBinaries(root)
            if binaries.server.exists() and shutil.which("erl"):
                return binaries
    return None


def _unpack_folder() -> Path:
    """Return a folder without spaces, which break the scripts of Erlang."""
    folder = LOCAL / "rabbitmq-server"
    return folder if " " not in str(folder) else outside_folder(LOCAL) / "rabbitmq-server"


def _unpacked(folder: Path) -> RabbitmqBinaries | None:
    roots = sorted(folder.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*"))
    if not roots:
        return None
    return RabbitmqBinaries(
        roots[-1],
        path=(folder / "usr/lib/erlang/bin",),
        libraries=debian.libraries(folder),
    )


def _fetch(folder: Path) -> RabbitmqBinaries:
    finish = partial(_set_erlang_root, final=folder)
    debian.unpack_once("RabbitMQ and Erlang", folder, _packages, advice=_WHAT_TO_DO, finish=finish)
    binaries = _unpacked(folder)
    if binaries is None:
        raise LocalServerError(f"the packages in {folder} hold no RabbitMQ: {_WHAT_TO_DO}")
    return binaries


def _packages(options: Sequence[str]) -> list[str]:
    depends = debian.run(
        [
            *("apt-cache", *options, "depends", "--recurse", "--no-recommends", "--no-suggests"),
            *("--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances"),
            "rabbitmq-server",
        ]
    )
    # All of Erlang is fetched even where parts are installed: two trees do not find each other.
    wanted = set(re.findall(r"^(?:erlang-[\w.+-]+|rabbitmq-server)$", depends, re.MULTILINE))
    return sorted(wanted.union(debian.missing(options, "rabbitmq-server")))


def _set_erlang_root(unpacked: Path, *, final: Path) -> None:
    """Set the root in Debian's Erlang scripts, which name the folder of an installation."""
    erlang = unpacked / "usr/lib/erlang"
    for name in ("erl", "start"):
        for script in (erlang / "bin" / name, *erlang.glob(f"erts-*/bin/{name}")):
            if script.is_file():
                installed, ours = "ROOTDIR=/usr/lib/erlang", f'ROOTDIR="{final}/usr/lib/erlang"'
                script.write_text(script.read_text().replace(installed, ours))
