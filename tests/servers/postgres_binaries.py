"""A PostgreSQL that speaks TLS, which the one of the wheel does not: installed, or Debian's."""

import fcntl
import os
import re
import shlex
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.local import processes
from deploy.local.errors import LocalServerError
from deploy.local.folders import LOCAL, outside_folder
from tests.servers import debian

_INSTALLED = Path("/usr/lib/postgresql")
_PROGRAMS = ("postgres", "initdb")


def find_or_fetch_postgres() -> Path:
    """Return the folder of `postgres` and `initdb`; fetch them (20 MB) where they are missing.

    Nothing is installed or started. `PG_BIN` may name the folder.
    """
    for folder in _installed():
        if all((folder / program).exists() for program in _PROGRAMS):
            return folder
    # The server's user must be able to read them.
    home = LOCAL if processes.server_account() is None else outside_folder(LOCAL)
    home.mkdir(parents=True, exist_ok=True)
    with (home / "postgresql-server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _fetch(home / "postgresql-server")


def _installed() -> Iterator[Path]:
    if chosen := os.environ.get("PG_BIN"):
        yield Path(chosen)
    yield from sorted(_INSTALLED.glob("*/bin"), reverse=True)
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent


def _fetch(folder: Path) -> Path:
    started_by = folder / "bin"
    if started_by.exists():
        return started_by
    print("  fetching PostgreSQL from Debian's packages (once)", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        debian.fetch(folder, _packages)
    except LocalServerError as error:
        raise LocalServerError(f"cannot fetch PostgreSQL ({error}): install postgresql") from None
    [programs] = folder.glob("usr/lib/postgresql/*/bin")
    libraries = ":".join(
        map(str, (*folder.glob("usr/lib/*-linux-*"), *folder.glob("lib/*-linux-*")))
    )
    unfinished = folder / "bin.part"
    unfinished.mkdir()
    for program in _PROGRAMS:
        script = unfinished / program
        setting = shlex.quote(f"LD_LIBRARY_PATH={libraries}")
        script.write_text(
            f'#!/bin/sh\nexec env {setting} {shlex.quote(f"{programs}/{program}")} "$@"\n'
        )
        script.chmod(0o755)
    unfinished.rename(started_by)
    return started_by


def _packages(options: Sequence[str]) -> list[str]:
    described = debian.run(["apt-cache", *options, "depends", "postgresql"])
    [package] = re.findall(r"Depends: (postgresql-\d+)$", described, re.MULTILINE)
    simulated = debian.run(
        ["apt-get", *options, "install", "--simulate", "--no-install-recommends", package]
    )
    return sorted({package, *re.findall(r"^Inst (\S+)", simulated, re.MULTILINE)})
