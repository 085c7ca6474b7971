"""The folders of private servers, inside the project and, where it must be, outside."""

import hashlib
import os
from pathlib import Path

from deploy.local.errors import LocalServerError

PROJECT = Path(__file__).resolve().parents[2]
LOCAL = PROJECT / ".local"


def outside_folder(local: Path) -> Path:
    """Make, note and announce a folder of this checkout that every user can enter.

    It serves where another user cannot enter a folder above the project, or where the path has a
    space that breaks a server's scripts.
    """
    tag = hashlib.sha256(os.fsencode(local.resolve())).hexdigest()[:10]
    parent = Path("/var/lib") if os.access("/var/lib", os.W_OK) else Path("/var/tmp")  # noqa: S108  the last resort that outlives a reboot
    folder = parent / f"sirenade-{tag}"
    folder.mkdir(exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise LocalServerError(f"{folder} belongs to someone else: remove it, or move the project")
    folder.chmod(0o755)
    if folder not in relocated_folders(local):
        local.mkdir(parents=True, exist_ok=True)
        with _note(local).open("a") as note:
            note.write(f"{folder}\n")
        print(f"  part of the private servers is kept in {folder} (removed by `make clean`)")
    return folder


def relocated_folders(local: Path) -> list[Path]:
    """List the folders outside that `make clean` removes."""
    lines = _note(local).read_text().splitlines() if _note(local).exists() else []
    return [Path(line) for line in lines if Path(line).name.startswith("sirenade-")]


def _note(local: Path) -> Path:
    return local / "relocated"
