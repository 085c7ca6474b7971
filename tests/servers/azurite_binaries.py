"""Azurite, an Azure for the tests of archives, fetched by npm into the project's folder."""

import hashlib
import shutil
from pathlib import Path

from deploy.local.errors import LocalServerError
from deploy.local.folders import LOCAL
from tests.servers.debian import run

# `npm install --package-lock-only` in this folder makes the lock anew.
_DECLARED = Path(__file__).parent / "azurite"
_LOCK = _DECLARED / "package-lock.json"


def find_or_fetch_azurite() -> Path:
    """Return Azurite's server of blobs; fetch it (190 MB on disk) where it is not there.

    npm takes what the lock file names, and refuses what has another digest.
    """
    home = LOCAL / f"azurite-{hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:12]}"
    program = home / "node_modules" / ".bin" / "azurite-blob"
    if program.exists():
        return program
    print("  fetching Azurite with npm (once)", flush=True)
    work = home.with_name(f"{home.name}.part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for file in (_LOCK, _DECLARED / "package.json"):
        shutil.copy(file, work)
    try:
        run(["npm", "ci", "--no-fund", "--no-audit", "--prefix", str(work)])
    except LocalServerError as error:
        raise LocalServerError(f"cannot fetch Azurite ({error}): it needs nodejs and npm") from None
    shutil.rmtree(home, ignore_errors=True)
    work.rename(home)
    return program
