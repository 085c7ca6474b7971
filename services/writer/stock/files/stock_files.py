"""Stock files in CSV, zip, gzip or parquet, read as chunks of rows."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from services.writer.stock.columns import Layout, layout_of
from services.writer.stock.files.csv_rows import CsvReader, GzipReader, ZipReader
from services.writer.stock.files.parquet_rows import ParquetReader
from services.writer.stock.files.readers import LINE, StockReader
from services.writer.stock.files.sources import SourceFile, open_source
from services.writer.stock.refusals import RefusedRow
from shared.errors import UserError
from shared.http.egress import Egress

_HEAD_BYTES = 6


@dataclass(frozen=True, slots=True)
class FileChunk:
    """Rows with the columns of the file and `LINE`, and those between them that were unreadable."""

    rows: pa.RecordBatch
    broken: Sequence[RefusedRow]


@dataclass(slots=True)
class StockFile:
    """An open file with the columns of a stock file. `rows` is None where it does not tell them."""

    source: SourceFile
    layout: Layout
    rows: int | None
    dated: dt.date | None
    _reader: StockReader

    @property
    def name(self) -> str:
        return self.source.name

    def chunks(self, rows: int) -> Iterator[FileChunk]:
        """Yield all rows in the file's order, in chunks of `rows`; only the last one is shorter.

        Raises DamagedFile when it reaches the damage.
        """
        columns = list(self.layout.columns.values())
        told = 0
        with self._reader.translate_errors():
            for batch in _rechunk(self._reader.batches(columns), rows):
                last = batch.column(LINE)[-1].as_py()
                broken = [row for row in self._reader.broken[told:] if row.line < last]
                told += len(broken)
                yield FileChunk(batch, broken)
        if rest := self._reader.broken[told:]:
            yield FileChunk(_no_rows(columns), rest)


def open_stock(place: str, egress: Egress) -> StockFile:
    """Open the file and read its header; raise UserError that names the file, and close it then."""
    source = open_source(place, egress)
    try:
        reader = _reader_of(source)
        with reader.translate_errors():
            names = reader.names()
        try:
            layout = layout_of(names)
        except UserError as error:
            raise UserError(f"{source.name} {error}") from None
        return StockFile(source, layout, reader.rows, reader.dated or source.dated, reader)
    except BaseException:
        source.stream.close()
        raise


_READERS: Mapping[bytes, type[StockReader]] = {
    b"PK\x03\x04": ZipReader,
    b"PAR1": ParquetReader,
    b"\x1f\x8b": GzipReader,
}
_NEEDS_RANGES = frozenset({ZipReader, ParquetReader})
_OTHER_ARCHIVES = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "rar",
}


def _reader_of(source: SourceFile) -> StockReader:
    head = source.stream.peek(_HEAD_BYTES)[:_HEAD_BYTES]
    if not head:
        raise UserError(f"{source.name} is empty")
    for magic, archive in _OTHER_ARCHIVES.items():
        if head.startswith(magic):
            raise UserError(f"{source.name} is compressed with {archive}: decompress it first")
    found = next((kind for magic, kind in _READERS.items() if head.startswith(magic)), CsvReader)
    if found in _NEEDS_RANGES and not source.stream.seekable():
        raise UserError(
            f"{source.name}: this server serves no ranges of a file: download it first, "
            "or name a CSV"
        )
    return found(source.name, source.stream)


def _no_rows(columns: Sequence[str]) -> pa.RecordBatch:
    kinds = [*((column, pa.string()) for column in columns), (LINE, pa.int64())]
    return pa.RecordBatch.from_pylist([], schema=pa.schema(kinds))


def _rechunk(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the same rows in chunks of equal size, whatever the size of the reader's blocks."""
    kept: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        rest = batch
        while count + len(rest) >= rows:
            yield pa.concat_batches([*kept, rest.slice(0, rows - count)])
            rest = rest.slice(rows - count)
            kept, count = [], 0
        if len(rest):
            kept.append(rest)
            count += len(rest)
    if kept:
        yield pa.concat_batches(kept)
