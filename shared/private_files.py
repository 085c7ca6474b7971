"""Files that only their owner may read: they hold people's data, or numbers of who objected.

None is left behind by a process that is killed.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import TextIO


def nameless_file(folder: Path | None = None) -> FileIO:
    """Open a file on the disk of a folder, else of the system's own, that no folder names.

    It is gone with the process, however that ends. It has no buffer: a child that gets it goes on
    where this process is.
    """
    return tempfile.TemporaryFile(buffering=0, dir=folder)


@contextmanager
def private_file(path: Path) -> Iterator[TextIO]:
    """Write a file that appears whole at the end of the block, in the place of an older one.

    Until then it has no name. A kill while it appears leaves FILE.new, which the next one replaces.
    """
    with nameless_file(path.parent) as kept:
        with open(kept.fileno(), "w", encoding="utf-8", closefd=False) as out:
            yield out
        kept.seek(0)
        new = path.with_name(f"{path.name}.new")
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "wb") as whole:  # noqa: PTH123  a descriptor
                shutil.copyfileobj(kept, whole)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)


def write_private(path: Path, content: str) -> None:
    with private_file(path) as out:
        out.write(content)
