"""Stock files in CSV, zip or parquet, read as batches of rows: strings, or the types of parquet."""

import contextlib
import datetime as dt
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from services.writer.stock.columns import Layout, layout_of
from services.writer.stock.sources import SourceFile, open_source
from shared.errors import UserError
from shared.sirene.values import MASKED

# Measured: blocks that fit the processor's cache are read three times as fast as 4 MiB at once.
_BLOCK_BYTES = 1 << 19
_ZIP, _PARQUET = b"PK\x03\x04", b"PAR1"
_ENCRYPTED = 0x1


class DamagedFile(UserError):
    """Raised when a second reading of the same file would fail in the same way."""


@dataclass(slots=True)
class StockFile:
    """An open file with the columns of a stock file. `rows` is None where it does not tell them."""

    source: SourceFile
    layout: Layout
    rows: int | None
    dated: dt.date | None
    _reader: "_Reader"

    @property
    def name(self) -> str:
        return self.source.name

    def chunks(self, rows: int) -> Iterator[pa.RecordBatch]:
        """Yield all rows in the file's order, in chunks of `rows`; only the last one is shorter.

        Raises DamagedFile when it reaches the damage.
        """
        with self._reader.translate_errors():
            yield from _rechunk(self._reader.batches(list(self.layout.columns.values())), rows)

    def close(self) -> None:
        self.source.close()


def open_stock(place: str) -> StockFile:
    """Open the file and read its header; raise UserError that names the file, and close it then."""
    source = open_source(place)
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
        source.close()
        raise


class _Reader:
    rows: int | None = None
    dated: dt.date | None = None

    def __init__(self, name: str, stream: BinaryIO) -> None:
        self._name = name
        self._stream = stream

    def names(self) -> Sequence[str]:
        raise NotImplementedError

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        raise NotImplementedError

    @contextlib.contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Turn errors of the libraries, which quote rows of people, into errors that quote none."""
        try:
            yield
        except (zipfile.BadZipFile, zlib.error, EOFError):
            raise DamagedFile(f"{self._name}: the zip is truncated or damaged") from None
        except NotImplementedError:
            raise UserError(f"{self._name}: unzip it first: its compression is unusual") from None
        except pa.ArrowInvalid:
            raise DamagedFile(f"{self._name}: {self._damage()}") from None
        except OSError as error:
            raise UserError(f"cannot read {self._name}: {error.strerror or 'damaged'}") from None

    def _damage(self) -> str:
        return "the parquet file is truncated or damaged"


class _Csv(_Reader):
    """CSV in UTF-8 with a header; `[ND]` and empty values are null from the start."""

    def __init__(self, name: str, stream: BinaryIO) -> None:
        super().__init__(name, stream)
        self._found = ""
        self._head = b""

    def names(self) -> Sequence[str]:
        self._head = self._stream.readline(_BLOCK_BYTES)
        try:
            line = self._head.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            raise UserError(f"{self._name} is no CSV, zip or parquet") from None
        if not line:
            raise UserError(f"{self._name} is empty")
        self._names = [name.strip().strip('"') for name in line.split(",")]
        return self._names

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        if not cast("io.BufferedReader", self._stream).peek(1):
            return
        # Arrow's own threads read ahead a few blocks only.
        yield from pyarrow.csv.open_csv(
            pa.PythonFile(self._stream, mode="r"),
            read_options=pyarrow.csv.ReadOptions(block_size=_BLOCK_BYTES, column_names=self._names),
            parse_options=pyarrow.csv.ParseOptions(
                newlines_in_values=True, invalid_row_handler=self._invalid
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=columns,
                column_types=dict.fromkeys(columns, pa.string()),
                null_values=["", MASKED],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )

    def _invalid(self, row: pyarrow.csv.InvalidRow) -> str:
        self._found = (
            f"a row of {row.actual_columns} values where the header names {row.expected_columns}"
        )
        return "error"

    def _damage(self) -> str:
        return f"the CSV is truncated or damaged: {self._found or 'it is not UTF-8, or ends early'}"


class _Parquet(_Reader):
    def __init__(self, name: str, stream: BinaryIO) -> None:
        super().__init__(name, stream)
        with self.translate_errors():
            # Without these options a whole group of rows would be read at once.
            self._file = pyarrow.parquet.ParquetFile(stream, pre_buffer=False, buffer_size=1 << 20)
        self.rows = self._file.metadata.num_rows

    def names(self) -> Sequence[str]:
        return cast("Sequence[str]", self._file.schema_arrow.names)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        yield from self._file.iter_batches(batch_size=1 << 14, columns=list(columns))


def _reader_of(source: SourceFile) -> _Reader:
    head = source.head(4)
    if not head:
        raise UserError(f"{source.name} is empty")
    if head not in {_ZIP, _PARQUET}:
        return _Csv(source.name, source.stream)
    if not source.stream.seekable():
        raise UserError(
            f"{source.name}: this server serves no ranges of a file: download it first, "
            "or name a CSV"
        )
    if head == _PARQUET:
        return _Parquet(source.name, source.stream)
    reader = _Csv(source.name, source.stream)
    with reader.translate_errors():
        reader._stream, reader.dated = _find_member(source)  # noqa: SLF001  both are this module's
    return reader


def _find_member(source: SourceFile) -> tuple[BinaryIO, dt.date | None]:
    archive = zipfile.ZipFile(source.stream)
    members = [m for m in archive.infolist() if m.filename.lower().endswith(".csv")]
    if len(members) != 1:
        raise UserError(f"{source.name}: the zip holds {len(members)} CSV files, not one")
    (member,) = members
    if member.flag_bits & _ENCRYPTED:
        raise UserError(f"{source.name}: the zip is encrypted")
    with contextlib.suppress(ValueError):
        return _open_member(archive, member), dt.date(*member.date_time[:3])
    return _open_member(archive, member), None


def _open_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(cast("io.RawIOBase", archive.open(member)), 1 << 20))


def _rechunk(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the same rows in chunks of equal size, whatever the size of the reader's blocks."""
    kept: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        rest = batch
        while count + len(rest) >= rows:
            kept.append(rest.slice(0, rows - count))
            rest = rest.slice(rows - count)
            yield pa.concat_batches(kept)
            kept, count = [], 0
        if len(rest):
            kept.append(rest)
            count += len(rest)
    if kept:
        yield pa.concat_batches(kept)
