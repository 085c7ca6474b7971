"""A PostgreSQL that speaks TLS, which the one of the wheel does not: installed, or Debian's."""

import os
import re
import shlex
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from deploy.local import processes
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
    folder = home / "postgresql-server"
    finish = partial(_write_scripts, final=folder)
    debian.unpack_once("PostgreSQL", folder, _packages, advice="install postgresql", finish=finish)
    return folder / "bin"


def _installed() -> Iterator[Path]:
    if chosen := os.environ.get("PG_BIN"):
        yield Path(chosen)
    yield from sorted(_INSTALLED.glob("*/bin"), reverse=True)
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent


def _write_scripts(unpacked: Path, *, final: Path) -> None:
    """Write scripts that start the programs with their libraries, at the folder's final name."""
    [programs] = unpacked.glob("usr/lib/postgresql/*/bin")
    programs = final / programs.relative_to(unpacked)
    libraries = (final / each.relative_to(unpacked) for each in debian.libraries(unpacked))
    setting = shlex.quote(f"LD_LIBRARY_PATH={':'.join(map(str, libraries))}")
    (unpacked / "bin").mkdir()
    for program in _PROGRAMS:
        script = unpacked / "bin" / program
        script.write_text(
            f'#!/bin/sh\nexec env {setting} {shlex.quote(f"{programs}/{program}")} "$@"\n'
        )
        script.chmod(0o755)


def _packages(options: Sequence[str]) -> list[str]:
    described = debian.run(["apt-cache", *options, "depends", "postgresql"])
    [package] = re.findall(r"Depends: (postgresql-\d+)$", described, re.MULTILINE)
    simulated = debian.run(
        ["apt-get", *options, "install", "--simulate", "--no-install-recommends", package]
    )
    return sorted({package, *re.findall(r"^Inst (\S+)", simulated, re.MULTILINE)})
