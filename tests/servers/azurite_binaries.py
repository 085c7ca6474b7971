"""Azurite, an Azure for the tests of archives, fetched by npm into the project's folder."""

import shutil
from pathlib import Path

from deploy.local.errors import LocalServerError
from deploy.local.folders import LOCAL
from tests.servers.debian import run

_PACKAGE = "azurite@3.35.0"


def find_or_fetch_azurite() -> Path:
    """Return Azurite's server of blobs; fetch it (190 MB on disk) where it is not there."""
    home = LOCAL / _PACKAGE.replace("@", "-")
    program = home / "node_modules" / ".bin" / "azurite-blob"
    if program.exists():
        return program
    print("  fetching Azurite with npm (once)", flush=True)
    work = home.with_name(f"{home.name}.part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        run(["npm", "install", "--no-fund", "--no-audit", "--prefix", str(work), _PACKAGE])
    except LocalServerError as error:
        raise LocalServerError(f"cannot fetch Azurite ({error}): it needs nodejs and npm") from None
    shutil.rmtree(home, ignore_errors=True)
    work.rename(home)
    return program
