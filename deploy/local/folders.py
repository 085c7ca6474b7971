"""The folders of private servers, inside the project and, where it must be, outside."""

import hashlib
import os
from pathlib import Path

from deploy.local.errors import LocalServerError

PROJECT = Path(__file__).resolve().parents[2]
LOCAL = PROJECT / ".local"


def relocation_note(local: Path) -> Path:
    """Return the file that names, one a line, the folders outside that `make clean` removes."""
    return local / "relocated"


def outside_folder(local: Path) -> Path:
    """Make, note and announce a folder of this checkout that every user can enter.

    It serves where another user cannot enter a folder above the project, or where the path has a
    space that breaks a server's scripts.
    """
    tag = hashlib.sha256(os.fsencode(local.resolve())).hexdigest()[:10]
    parent = Path("/var/lib") if os.access("/var/lib", os.W_OK) else Path("/var/tmp")  # noqa: S108  the last resort that outlives a reboot
    folder = parent / f"sirenade-{tag}"
    note = relocation_note(local)
    known = note.read_text().splitlines() if note.exists() else []
    folder.mkdir(exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise LocalServerError(f"{folder} belongs to someone else: remove it, or move the project")
    folder.chmod(0o755)
    if str(folder) not in known:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text("\n".join([*known, str(folder)]) + "\n")
        print(f"  part of the private servers is kept in {folder} (removed by `make clean`)")
    return folder


def relocated_folders(local: Path) -> list[Path]:
    note = relocation_note(local)
    lines = note.read_text().splitlines() if note.exists() else []
    return [Path(line) for line in lines if Path(line).name.startswith("sirenade-")]
