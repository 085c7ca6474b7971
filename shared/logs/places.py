"""The name and the places of an error: its class and SQLSTATE, files and lines, never its words."""

import os
import traceback
from pathlib import Path
from types import TracebackType

_ROOT = Path(__file__).parents[2]
_FRAMES_SHOWN = 6


def sqlstate(error: BaseException) -> str:
    """Return the SQLSTATE of an error of PostgreSQL, as the driver or SQLAlchemy raises it.

    It is empty for others, and where the connection was lost before there was one.
    """
    return getattr(getattr(error, "orig", None) or error, "pgcode", None) or ""


def name_of(error: BaseException) -> str:
    """Return the class of an error, with the SQLSTATE where it has one."""
    return f"{type(error).__name__} {sqlstate(error)}".rstrip()


def places_of(error: BaseException) -> list[str]:
    """Return `file:line` for each of the project's lines that the error passed, innermost last."""
    found = [
        f"{path.relative_to(_ROOT)}:{line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if _is_own(path := Path(frame.f_code.co_filename))
    ]
    return found[-_FRAMES_SHOWN:]


def frames_of(trace: TracebackType | None) -> list[str]:
    """Return `file:line function` for the innermost frames, those of libraries too."""
    frames = traceback.extract_tb(trace)[-_FRAMES_SHOWN:]
    return [f"{os.path.relpath(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _is_own(path: Path) -> bool:
    return path.is_relative_to(_ROOT) and "site-packages" not in path.parts
