"""Stock files in CSV, zip or parquet, read as batches of rows: strings, or the types of parquet."""

import contextlib
import datetime as dt
import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from services.writer.stock.columns import Layout, layout_of
from services.writer.stock.sources import SourceFile, open_source
from shared.errors import UserError
from shared.sirene.values import MASKED

# Measured: blocks that fit the processor's cache are read three times as fast as 4 MiB at once.
_BLOCK_BYTES = 1 << 19
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
        source.stream.close()
        raise


class _Reader:
    rows: int | None = None
    dated: dt.date | None = None
    damage: str

    def __init__(self, name: str, stream: io.BufferedReader) -> None:
        self._name = name
        self._stream = stream

    def names(self) -> Sequence[str]:
        """Read the header; it comes before the rows."""
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
            raise DamagedFile(f"{self._name}: {self.damage}") from None
        except OSError as error:
            raise UserError(f"cannot read {self._name}: {error.strerror or 'damaged'}") from None


class _Csv(_Reader):
    """CSV in UTF-8 with a header; `[ND]` and empty values are null from the start."""

    damage = "the CSV is truncated or damaged: it is not UTF-8, or ends early"

    def names(self) -> Sequence[str]:
        head = self._stream.readline(_BLOCK_BYTES)
        try:
            line = head.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            raise UserError(f"{self._name} is no CSV, zip or parquet") from None
        if not line:
            raise UserError(f"{self._name} is empty")
        self._names = [name.strip().strip('"') for name in line.split(",")]
        return self._names

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        if not self._stream.peek(1):
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
        self.damage = (
            f"the CSV is truncated or damaged: a row of {row.actual_columns} values"
            f" where the header names {row.expected_columns}"
        )
        return "error"


class _Zip(_Csv):
    def names(self) -> Sequence[str]:
        archive = zipfile.ZipFile(self._stream)
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


class _Parquet(_Reader):
    damage = "the parquet file is truncated or damaged"

    def names(self) -> Sequence[str]:
        # Without these options a whole group of rows would be read at once.
        self._file = pyarrow.parquet.ParquetFile(
            self._stream, pre_buffer=False, buffer_size=1 << 20
        )
        self.rows = self._file.metadata.num_rows
        return cast("Sequence[str]", self._file.schema_arrow.names)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        yield from self._file.iter_batches(batch_size=1 << 14, columns=list(columns))


_READERS: Mapping[bytes, type[_Reader]] = {b"PK\x03\x04": _Zip, b"PAR1": _Parquet}


def _reader_of(source: SourceFile) -> _Reader:
    head = source.stream.peek(4)[:4]
    if not head:
        raise UserError(f"{source.name} is empty")
    if head in _READERS and not source.stream.seekable():
        raise UserError(
            f"{source.name}: this server serves no ranges of a file: download it first, "
            "or name a CSV"
        )
    return _READERS.get(head, _Csv)(source.name, source.stream)


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
