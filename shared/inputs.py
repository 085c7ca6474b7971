"""Files that people give: read within bounds, each mistake one line that quotes none of them."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from shared.errors import UserError

LONGEST_LINE: Final = 1 << 20
"""Far above a record of INSEE with its history, the longest line that anybody has."""

_MOST_BYTES: Final = 1 << 20


def read_text(path: Path, *, most_bytes: int = _MOST_BYTES) -> str:
    """Read a small file whole; - is the standard input. Raises UserError."""
    with _saying(path), _source(path).open("rb") as file:
        octets = file.read(most_bytes + 1)
        if len(octets) > most_bytes:
            raise UserError(f"{path} is longer than {most_bytes} bytes")
        return octets.decode()


def read_lines(
    path: Path, *, encoding: str = "utf-8", errors: str = "strict", newline: str | None = None
) -> Iterator[str]:
    """Yield the lines of a file, also of one in gzip (.gz); - is the standard input.

    Raises UserError, for a line that is longer than any, too.
    """
    source = _source(path)
    opened: Callable[..., IO[str]] = gzip.open if source.suffix == ".gz" else open
    with (
        _saying(path),
        opened(source, "rt", encoding=encoding, errors=errors, newline=newline) as file,
    ):
        yield from bounded_lines(file, str(path))


def bounded_lines(file: IO[str], name: str) -> Iterator[str]:
    """Yield the lines of an open file. Raises UserError for one that is longer than any."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise UserError(f"{name}: line {number} is longer than {LONGEST_LINE} characters")
        yield line


def _source(path: Path) -> Path:
    return Path("/dev/stdin") if str(path) == "-" else path


@contextmanager
def _saying(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UserError(f"cannot read {path}: the archive is truncated or damaged") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"cannot read {path}: it is not UTF-8") from None
