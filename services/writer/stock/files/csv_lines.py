"""The lines of a CSV, in groups of whole lines, and the rows that they make.

Arrow reads most groups without this look at single rows, which takes much longer.
"""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

# INSEE's values have no line feed; a value of more lines than this is a quote left open.
_MOST_LINES: Final = 20
_MOST_BYTES: Final = 1 << 22
_QUOTED = re.compile(rb'"(?:[^"]|"")*"')


@dataclass(frozen=True, slots=True)
class CsvLines:
    """Whole lines of a file, `first` being the number of the first one; the header's is 1."""

    first: int
    octets: bytes
    count: int
    are_last: bool

    @property
    def last(self) -> bytes:
        return self.octets[self.octets.rfind(b"\n", 0, -1) + 1 :]

    @property
    def end_in_mid_line(self) -> bool:
        return self.are_last and not self.octets.endswith(b"\n")

    def after(self, rest: bytes) -> "CsvLines":
        """Return these lines with those before them that belong to the same row."""
        more = rest.count(b"\n")
        return CsvLines(self.first - more, rest + self.octets, more + self.count, self.are_last)


@dataclass(frozen=True, slots=True)
class CsvRow:
    """A row as it stands in the file from `line` on; `code` says why it cannot be read, if so."""

    line: int
    octets: bytes
    code: str = ""


def whole_lines(stream: io.BufferedReader, size: int) -> Iterator[CsvLines]:
    """Yield what follows the header, a little more than `size` bytes at a time."""
    first = 2
    while octets := stream.read(size) + stream.readline(_MOST_BYTES):
        are_last = not stream.peek(1)
        count = octets.count(b"\n") + (are_last and not octets.endswith(b"\n"))
        yield CsvLines(first, octets, count, are_last)
        first += count


def rows_of(lines: CsvLines, delimiter: bytes) -> tuple[list[CsvRow], bytes]:
    """Return the rows without empty ones, and the octets of a row that later lines may complete."""
    parts = io.BytesIO(lines.octets).readlines()
    is_last = lines.are_last or len(lines.octets) > _MOST_BYTES
    rows: list[CsvRow] = []
    at = 0
    while at < len(parts):
        count = _lines_of_row(parts[at : at + _MOST_LINES], delimiter)
        if not count and not is_last and len(parts) - at < _MOST_LINES:
            break
        octets = b"".join(parts[at : at + max(count, 1)])
        if not count:
            rows.append(CsvRow(lines.first + at, octets, "open_quote"))
        elif octets.strip(b"\r\n"):
            code = "" if is_utf8(octets) else "bad_encoding"
            rows.append(CsvRow(lines.first + at, octets, code))
        at += max(count, 1)
    return rows, b"".join(parts[at:])


def are_rows(lines: CsvLines, breaks: Mapping[int, int], delimiter: bytes) -> bool:
    """Return whether a row begins at each of these lines, with the number of line feeds given."""
    parts = io.BytesIO(lines.octets).readlines()
    return all(
        _lines_of_row(parts[at : at + _MOST_LINES], delimiter) == more + 1
        for at, more in ((number - lines.first, more) for number, more in breaks.items())
    )


def is_open(row: bytes, delimiter: bytes) -> bool:
    """Return whether a value begins with a quote, as Arrow sees it, and does not end."""
    start = 0
    while start >= 0 and row.find(b'"', start) >= 0:
        if row[start : start + 1] == b'"':
            value = _QUOTED.match(row, start)
            if value is None or (b"\n" in value[0] and not _ends(row, value.end(), delimiter)):
                return True
            start = value.end()
        following = row.find(delimiter, start)
        start = following + 1 if following >= 0 else -1
    return False


def is_utf8(octets: bytes) -> bool:
    """Return whether these are UTF-8; Arrow knows it sooner than Python does."""
    if octets.isascii():
        return True
    ends = pa.array([0, len(octets)], pa.int32()).buffers()[1]
    text = pa.Array.from_buffers(pa.string(), 1, [None, ends, pa.py_buffer(octets)])
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _lines_of_row(lines: list[bytes], delimiter: bytes) -> int:
    """Return how many lines the row that begins here has; 0 where its quote stays open."""
    row = b""
    for count, line in enumerate(lines, start=1):
        row += line
        if not is_open(row, delimiter):
            return count
    return 0


def _ends(row: bytes, at: int, delimiter: bytes) -> bool:
    """Return whether a value may end here: a quote that closes another line's does not."""
    return row[at : at + 1] in {b"", b"\r", b"\n", delimiter}
