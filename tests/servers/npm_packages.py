"""Packages of npm for the tests, fetched into the project's folder.

Each is a folder here with a lock file. `npm install --package-lock-only` there makes it anew.
"""

import hashlib
import shutil
from pathlib import Path

from deploy.local.errors import LocalServerError
from deploy.local.folders import LOCAL
from tests.servers.debian import run

_DECLARED = Path(__file__).parent


def find_or_fetch_azurite() -> Path:
    """Return Azurite's server of blobs, an Azure for the tests of archives (190 MB on disk)."""
    return _find_or_fetch("azurite", ".bin/azurite-blob")


def find_or_fetch_axe() -> Path:
    """Return axe, the rules of accessible pages, as one script (4 MB on disk)."""
    return _find_or_fetch("axe", "axe-core/axe.min.js")


def _find_or_fetch(name: str, file: str) -> Path:
    """Return the file of the package. npm refuses what has another digest than the lock's."""
    lock = _DECLARED / name / "package-lock.json"
    home = LOCAL / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    found = home / "node_modules" / file
    if found.exists():
        return found
    print(f"  fetching {name} with npm (once)", flush=True)
    work = home.with_name(f"{home.name}.part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for declared in (lock, lock.with_name("package.json")):
        shutil.copy(declared, work)
    try:
        run(["npm", "ci", "--no-fund", "--no-audit", "--prefix", str(work)])
    except LocalServerError as error:
        raise LocalServerError(f"cannot fetch {name} ({error}): it needs nodejs and npm") from None
    shutil.rmtree(home, ignore_errors=True)
    work.rename(home)
    return found
