"""pgbouncer: installed, or Debian's package with its libraries, unpacked into the folder."""

import fcntl
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.local import processes
from deploy.local.errors import LocalServerError
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
    home.mkdir(parents=True, exist_ok=True)
    folder = home / _PACKAGE
    with (home / f"{_PACKAGE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "usr/sbin/pgbouncer").exists():
            print("  fetching pgbouncer from Debian's packages (once)", flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            try:
                debian.fetch(folder, partial(debian.missing, package=_PACKAGE))
            except LocalServerError as error:
                message = f"cannot fetch pgbouncer ({error}): install {_PACKAGE}"
                raise LocalServerError(message) from None
    libraries = [*folder.glob("usr/lib/*-linux-*"), *folder.glob("lib/*-linux-*")]
    return Pgbouncer(
        folder / "usr/sbin/pgbouncer", {"LD_LIBRARY_PATH": ":".join(map(str, libraries))}
    )
