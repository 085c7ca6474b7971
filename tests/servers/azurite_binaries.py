"""Azurite, an Azure for the tests of archives, fetched by npm into the project's folder."""

import shutil
import subprocess
from pathlib import Path

from deploy.local.errors import LocalServerError
from deploy.local.folders import LOCAL

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
    _install(work)
    shutil.rmtree(home, ignore_errors=True)
    work.rename(home)
    return program


def _install(folder: Path) -> None:
    command = ["npm", "install", "--no-fund", "--no-audit", "--prefix", str(folder), _PACKAGE]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise LocalServerError("no npm to fetch Azurite with: install nodejs and npm") from None
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or ["no message"])[0]
        raise LocalServerError(f"cannot fetch Azurite ({reason})")
