"""Where private servers keep their files, and what had to be put outside the project's folder."""

import hashlib
import os
from pathlib import Path

from deploy.local.errors import LocalServerError

PROJECT = Path(__file__).resolve().parents[2]
LOCAL = PROJECT / ".local"


def relocation_note(local: Path) -> Path:
    """Names every folder outside the project that `make clean` must remove, one a line."""
    return local / "relocated"


def outside_folder(local: Path) -> Path:
    """A folder of this checkout's own that every user can enter, made, noted and announced once.

    Needed where the project's folder lies below one that another user cannot enter, or where its
    path has a space that a server's scripts do not bear.
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
