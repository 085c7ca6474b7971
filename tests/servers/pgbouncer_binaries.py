"""pgbouncer: installed, or Debian's package with its libraries, unpacked into the folder."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.local import processes
from deploy.local.folders import LOCAL, outside_folder
from tests.servers import debian

_PACKAGE = "pgbouncer"


@dataclass(frozen=True)
class Pgbouncer:
    program: Path
    environment: Mapping[str, str]
    """The variables that it needs besides those of the process."""


def find_or_fetch_pgbouncer() -> Pgbouncer:
    """Return pgbouncer; fetch it (1 MB) where it is neither installed nor unpacked."""
    if found := shutil.which(_PACKAGE):
        return Pgbouncer(Path(found), {})
    # The server's user must be able to read it.
    home = LOCAL if processes.server_account() is None else outside_folder(LOCAL)
    folder = home / _PACKAGE
    packages = partial(debian.missing, package=_PACKAGE)
    debian.unpack_once(_PACKAGE, folder, packages, advice=f"install {_PACKAGE}")
    libraries = ":".join(map(str, debian.libraries(folder)))
    return Pgbouncer(folder / "usr/sbin/pgbouncer", {"LD_LIBRARY_PATH": libraries})
