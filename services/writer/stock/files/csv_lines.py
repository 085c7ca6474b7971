"""The lines of a CSV on their way to Arrow, which would refuse the whole file for one of them."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# INSEE's values have no line feed; a value of more lines than this is a quote left open.
_MOST_LINES: Final = 20
_MOST_BYTES: Final = 1 << 22
_QUOTED = re.compile(rb'"(?:[^"]|"")*"')
_EMPTY_LINE = re.compile(rb"(?:\A|\n)\r?\n")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that does not reach Arrow; `code` is None for an empty line, which lacks nothing."""

    octets: bytes
    lines: int
    code: str | None


class WholeLines:
    """A file for Arrow: the same bytes without empty lines, bad UTF-8 and quotes left open.

    `left_out` collects these records by their first line. Lines are counted from `first_line`.
    """

    closed = False

    def __init__(self, stream: io.BufferedReader, delimiter: str, *, first_line: int) -> None:
        self._stream = stream
        self._delimiter = delimiter.encode()
        self._line = first_line
        self._ready = b""
        self._rest = b""
        self._ended = False
        self.left_out: dict[int, LeftOut] = {}
        self.ends_in_mid_line = False

    def is_empty(self, size: int) -> bool:
        """Return whether nothing can be read, having read ahead up to the first good line."""
        while not self._ready and not self._ended:
            self._fill(size)
        return not self._ready

    def read(self, size: int) -> bytes:
        if self.is_empty(size):
            return b""
        read, self._ready = self._ready[:size], self._ready[size:]
        return read

    def close(self) -> None:
        """Leave the stream to its owner."""

    def _fill(self, size: int) -> None:
        data = self._stream.read(size)
        self._ended = not data
        if data:
            self.ends_in_mid_line = not data.endswith(b"\n")
        block = self._rest + data
        end = len(block) if self._ended or len(block) > _MOST_BYTES else block.rfind(b"\n") + 1
        whole, self._rest = block[:end], block[end:]
        if _may_be_open(whole) or _EMPTY_LINE.search(whole) or not _is_utf8(whole):
            whole = self._good(io.BytesIO(whole).readlines())
        else:
            self._line += whole.count(b"\n")
        self._ready = whole

    def _good(self, lines: Sequence[bytes]) -> bytes:
        """Return the good records; leave the last one for later if more lines may close it."""
        kept: list[bytes] = []
        at = 0
        while at < len(lines):
            number = self._lines_of_record(lines, at)
            if not number and not self._ended and len(lines) - at < _MOST_LINES:
                self._rest = b"".join(lines[at:]) + self._rest
                break
            octets = b"".join(lines[at : at + max(number, 1)])
            if not number:
                self._leave_out(octets, 1, "open_quote")
            elif not octets.strip(b"\r\n"):
                self._leave_out(octets, number, None)
            elif not _is_utf8(octets):
                self._leave_out(octets, number, "bad_encoding")
            else:
                kept.append(octets)
            at += max(number, 1)
            self._line += max(number, 1)
        return b"".join(kept)

    def _leave_out(self, octets: bytes, lines: int, code: str | None) -> None:
        self.left_out[self._line] = LeftOut(octets, lines, code)

    def _lines_of_record(self, lines: Sequence[bytes], at: int) -> int:
        """Return how many lines the record that begins here has; 0 where its quote stays open."""
        record = b""
        for number, line in enumerate(lines[at : at + _MOST_LINES], start=1):
            record += line
            if not self._is_open(record):
                return number
        return 0

    def _is_open(self, record: bytes) -> bool:
        """Return whether a value begins with a quote, as Arrow sees it, and does not end."""
        start = 0
        while start >= 0 and record.find(b'"', start) >= 0:
            if record[start : start + 1] == b'"':
                value = _QUOTED.match(record, start)
                if value is None or (b"\n" in value[0] and not self._ends(record, value.end())):
                    return True
                start = value.end()
            following = record.find(self._delimiter, start)
            start = following + 1 if following >= 0 else -1
        return False

    def _ends(self, record: bytes, at: int) -> bool:
        """Return whether a value may end here: a quote that closes another line's does not."""
        return record[at : at + 1] in {b"", b"\r", b"\n", self._delimiter}


def _may_be_open(block: bytes) -> bool:
    """Return whether a quoted value goes beyond its line, which is rare."""
    parts = block.split(b'"')
    return len(parts) % 2 == 0 or b"\n" in b"".join(parts[1::2])


def _is_utf8(octets: bytes) -> bool:
    try:
        return octets.isascii() or octets.decode() is not None
    except UnicodeDecodeError:
        return False
