"""The rows of a CSV file in UTF-8, plain or compressed; a row that cannot be read is left out.

`[ND]` and empty values are null from the start.
"""

import contextlib
import datetime as dt
import gzip
import io
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, cast

import pyarrow as pa

from services.writer.stock.files.csv_blocks import Block, BlockParser
from services.writer.stock.files.csv_lines import CsvLines, whole_lines
from services.writer.stock.files.readers import DamagedFile, StockReader
from shared.errors import UserError

# Measured: blocks that fit the processor's cache are read three times as fast as 4 MiB at once.
_BLOCK_BYTES = 1 << 19
_PARSERS = 2
_LARGEST_PIECE = 1 << 20
_ENCRYPTED = 0x1
# Each is kept to be named; a gzip of a megabyte can hold a thousand million of them.
_MOST_BROKEN = 100_000
_DELIMITERS = (",", ";", "\t")


class CsvReader(StockReader):
    """Reads rows of strings. The delimiter is the one that the header has."""

    damage = "the CSV is truncated or damaged"

    def names(self) -> Sequence[str]:
        head = self._stream.readline(_BLOCK_BYTES)
        try:
            line = head.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            raise UserError(f"{self._name} is no CSV, zip or parquet") from None
        if not line:
            raise UserError(f"{self._name} is empty")
        self._delimiter = max(_DELIMITERS, key=line.count)
        self._names = [name.strip().strip('"') for name in line.split(self._delimiter)]
        return self._names

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        parser = BlockParser(self._names, self._delimiter, columns)
        rest = b""
        for lines, parsed in _in_turn(parser.parse, whole_lines(self._stream, _BLOCK_BYTES)):
            block = parser.parse(lines.after(rest)) if rest else parsed
            rest = block.rest
            self.broken += block.broken
            if len(self.broken) > _MOST_BROKEN:
                raise DamagedFile(f"{self._name}: {self.damage}: too many rows cannot be read")
            if len(block.rows):
                yield block.rows
            if lines.end_in_mid_line and block.ends_broken:
                raise DamagedFile(f"{self._name}: {self.damage}: it ends in the middle of a row")


class _Archive:
    """The stream of a zip, read in pieces: its directory is read at once, and grows in memory."""

    def __init__(self, name: str, stream: io.BufferedReader) -> None:
        self._name = name
        self._stream = stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(_LARGEST_PIECE + 1 if size < 0 else min(size, _LARGEST_PIECE + 1))
        if len(data) > _LARGEST_PIECE:
            raise DamagedFile(f"{self._name}: the zip holds more than one CSV")
        return data


class ZipReader(CsvReader):
    """Reads the one CSV of a zip."""

    def names(self) -> Sequence[str]:
        archive = zipfile.ZipFile(cast("IO[bytes]", _Archive(self._name, self._stream)))
        members = [m for m in archive.infolist() if m.filename.lower().endswith(".csv")]
        if len(members) != 1:
            raise UserError(f"{self._name}: the zip holds {len(members)} CSV files, not one")
        (member,) = members
        if member.flag_bits & _ENCRYPTED:
            raise UserError(f"{self._name}: the zip is encrypted")
        with contextlib.suppress(ValueError):
            self.dated = dt.date(*member.date_time[:3])
        self._stream = io.BufferedReader(cast("io.RawIOBase", archive.open(member)), 1 << 20)
        return super().names()


class GzipReader(CsvReader):
    """Reads a CSV that was compressed by gzip."""

    def names(self) -> Sequence[str]:
        unzipped = gzip.GzipFile(fileobj=self._stream)
        self._stream = io.BufferedReader(cast("io.RawIOBase", unzipped), 1 << 20)
        return super().names()


def _in_turn(
    parse: Callable[[CsvLines], Block], groups: Iterable[CsvLines]
) -> Iterator[tuple[CsvLines, Block]]:
    """Parse some groups at once and yield them in the file's order."""
    waiting: deque[tuple[CsvLines, Future[Block]]] = deque()
    with ThreadPoolExecutor(_PARSERS, thread_name_prefix="csv") as parsers:
        for lines in groups:
            waiting.append((lines, parsers.submit(parse, lines)))
            if len(waiting) > _PARSERS:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)


def _first(waiting: deque[tuple[CsvLines, Future[Block]]]) -> tuple[CsvLines, Block]:
    lines, future = waiting.popleft()
    return lines, future.result()
