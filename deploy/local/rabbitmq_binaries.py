"""Where RabbitMQ comes from: installed, or Debian's packages unpacked into our own folder.

No package index that pip can use carries it. Nothing here needs root or changes the system.
"""

import fcntl
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LocalServerError
from deploy.local.places import LOCAL, outside_folder

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
    """Holds `sbin/rabbitmq-server`: its own scripts, not a package's wrapper that changes user."""
    path: tuple[Path, ...] = ()
    """Folders to put before PATH."""
    libraries: tuple[Path, ...] = ()

    @property
    def server(self) -> Path:
        return self.root / "sbin" / "rabbitmq-server"

    @property
    def ctl(self) -> Path:
        return self.root / "sbin" / "rabbitmqctl"


def find_or_fetch_rabbitmq() -> RabbitmqBinaries:
    """An installed RabbitMQ, else the unpacked one, fetched now (35 MB) if it is not there."""
    return _installed() or _unpacked(_unpack_folder()) or _fetch(_unpack_folder())


def _installed() -> RabbitmqBinaries | None:
    for pattern in _INSTALLED:
        for root in sorted(Path("/").glob(pattern[1:]), reverse=True):
            binaries = RabbitmqBinaries(root)
            if binaries.server.exists() and shutil.which("erl"):
                return binaries
    return None


def _unpack_folder() -> Path:
    """Without spaces, which the scripts of Erlang do not bear."""
    folder = LOCAL / "rabbitmq-server"
    return folder if " " not in str(folder) else outside_folder(LOCAL) / "rabbitmq-server"


def _unpacked(folder: Path) -> RabbitmqBinaries | None:
    roots = sorted(folder.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*"))
    if not roots:
        return None
    return RabbitmqBinaries(
        roots[-1],
        path=(folder / "usr/lib/erlang/bin",),
        libraries=(*folder.glob("usr/lib/*-linux-*"), *folder.glob("lib/*-linux-*")),
    )


def _fetch(folder: Path) -> RabbitmqBinaries:
    tools = ("apt-get", "apt-cache", "dpkg")
    if any(shutil.which(tool) is None for tool in tools):
        raise LocalServerError(f"no RabbitMQ here, and no apt to fetch it with: {_WHAT_TO_DO}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(folder.with_name("rabbitmq-server.lock")):
        if binaries := _unpacked(folder):
            return binaries  # another process fetched it meanwhile
        print("  fetching RabbitMQ and Erlang from Debian's packages (35 MB, once)", flush=True)
        work = folder.with_name("rabbitmq-server.part")
        shutil.rmtree(work, ignore_errors=True)
        debs = work / "debs"
        debs.mkdir(parents=True)
        _download(debs, lists=work / "apt")
        for deb in sorted(debs.glob("*.deb")):
            _run(["dpkg", "-x", str(deb), str(work / "root")])
        _set_erlang_root(work / "root", folder)
        (work / "root").rename(folder)
        shutil.rmtree(work)
    binaries = _unpacked(folder)
    if binaries is None:
        raise LocalServerError(f"the packages in {folder} hold no RabbitMQ: {_WHAT_TO_DO}")
    return binaries


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _download(debs: Path, *, lists: Path) -> None:
    """With the machine's package lists, or lists of our own where it has none or stale ones."""
    try:
        _download_with([], debs)
    except LocalServerError:
        print("  this machine's package lists do not serve: reading the archive's", flush=True)
        for part in ("lists/partial", "cache/archives/partial"):
            (lists / part).mkdir(parents=True)
        options = [
            "-o",
            f"Dir::State::Lists={lists / 'lists'}",
            "-o",
            f"Dir::Cache={lists / 'cache'}",
        ]
        _run(["apt-get", "-q", *options, "update"])
        _download_with(options, debs)


def _download_with(options: list[str], debs: Path) -> None:
    depends = _run(
        [
            *("apt-cache", *options, "depends", "--recurse", "--no-recommends", "--no-suggests"),
            *("--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances"),
            "rabbitmq-server",
        ]
    )
    # All of Erlang even where parts of it are installed: the two trees would not find each other.
    wanted = set(re.findall(r"^(?:erlang-[\w.+-]+|rabbitmq-server)$", depends, re.MULTILINE))
    simulated = _run(
        ["apt-get", *options, "install", "--simulate", "--no-install-recommends", "rabbitmq-server"]
    )
    wanted.update(re.findall(r"^Inst (\S+)", simulated, re.MULTILINE))
    _run(["apt-get", "-q", *options, "download", *sorted(wanted)], cwd=debs)


def _set_erlang_root(unpacked: Path, final: Path) -> None:
    """Debian's Erlang scripts name the folder that the package would install to."""
    erlang = unpacked / "usr/lib/erlang"
    for name in ("erl", "start"):
        for script in (erlang / "bin" / name, *erlang.glob(f"erts-*/bin/{name}")):
            if script.is_file():
                installed, ours = "ROOTDIR=/usr/lib/erlang", f'ROOTDIR="{final}/usr/lib/erlang"'
                script.write_text(script.read_text().replace(installed, ours))


def _run(command: list[str], *, cwd: Path | None = None) -> str:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise LocalServerError(f"cannot fetch RabbitMQ ({command[0]}: {reason}): {_WHAT_TO_DO}")
    return result.stdout
