"""The rows of a CSV file in UTF-8, plain or compressed; a row that cannot be read is left out.

`[ND]` and empty values are null from the start.
"""

import contextlib
import csv
import datetime as dt
import gzip
import io
import zipfile
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from services.writer.stock.files.csv_lines import WholeLines
from services.writer.stock.files.readers import LINE, DamagedFile, StockReader
from services.writer.stock.refusals import RefusedRow
from shared.errors import UserError
from shared.sirene.identifiers import is_siren, is_siret
from shared.sirene.values import MASKED

# Measured: blocks that fit the processor's cache are read three times as fast as 4 MiB at once.
_BLOCK_BYTES = 1 << 19
_ENCRYPTED = 0x1
# Python puts it in the place of an octet that is no UTF-8.
_LOST = "\ufffd"
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
        self._row, self._line = 1, 2
        # Rows of too few or too many values, by their number among all rows.
        self._skipped: deque[tuple[int, str]] = deque()
        self._lines = WholeLines(self._stream, self._delimiter, first_line=self._line)
        if not self._lines.is_empty(_BLOCK_BYTES):
            for batch in self._open(columns):
                yield batch.append_column(LINE, pa.array(self._lines_of(batch), pa.int64()))
        last = self._line
        self._pass_left_out()
        self._pass_skipped()
        ends_broken = self._line > last and self.broken and self.broken[-1].line >= last
        if ends_broken and self._lines.ends_in_mid_line:
            raise DamagedFile(f"{self._name}: {self.damage}: it ends in the middle of a row")

    def _open(self, columns: Sequence[str]) -> Any:
        # Only without threads does Arrow number the rows that it skips.
        return pyarrow.csv.open_csv(
            pa.PythonFile(self._lines, mode="r"),
            read_options=pyarrow.csv.ReadOptions(
                block_size=_BLOCK_BYTES, column_names=self._names, use_threads=False
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self._delimiter,
                newlines_in_values=True,
                invalid_row_handler=self._skip,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                check_utf8=False,
                include_columns=columns,
                column_types=dict.fromkeys(columns, pa.string()),
                null_values=["", MASKED],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )

    def _skip(self, row: pyarrow.csv.InvalidRow) -> str:
        self._skipped.append((row.number, row.text))
        return "skip"

    def _lines_of(self, batch: pa.RecordBatch) -> Sequence[int]:
        """Return the line on which each row begins."""
        feeds = _line_feeds(batch)
        end = self._line + len(batch)
        passed = self._skipped and self._skipped[0][0] <= self._row + len(batch)
        if not feeds and not passed and not any(line < end for line in self._lines.left_out):
            first, self._line, self._row = self._line, end, self._row + len(batch)
            return range(first, end)
        found = []
        for number in range(len(batch)):
            self._pass_left_out()
            self._pass_skipped()
            found.append(self._line)
            self._line += 1 + (feeds[number] if feeds else 0)
            self._row += 1
        return found

    def _pass_skipped(self) -> None:
        while self._skipped and self._skipped[0][0] == self._row:
            _, text = self._skipped.popleft()
            self._row += 1
            for line in text.split("\n"):
                self._break(self._line, line, "bad_row")
                self._line += 1
            self._pass_left_out()

    def _pass_left_out(self) -> None:
        while record := self._lines.left_out.pop(self._line, None):
            if record.code is not None:
                self._break(self._line, record.octets.decode(errors="replace"), record.code)
            self._line += record.lines

    def _break(self, number: int, line: str, code: str) -> None:
        values = next(csv.reader([line], delimiter=self._delimiter), [])
        found = dict(zip(self._names, values, strict=False))
        name, is_key = ("siret", is_siret) if "siret" in self._names else ("siren", is_siren)
        key = found.get(name, "")
        column = next((name for name, value in found.items() if _LOST in value), None)
        self.broken.append(RefusedRow(key if is_key(key) else None, code, number, column))


class ZipReader(CsvReader):
    """Reads the one CSV of a zip."""

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


class GzipReader(CsvReader):
    """Reads a CSV that was compressed by gzip."""

    def names(self) -> Sequence[str]:
        unzipped = gzip.GzipFile(fileobj=self._stream)
        self._stream = io.BufferedReader(cast("io.RawIOBase", unzipped), 1 << 20)
        return super().names()


def _line_feeds(batch: pa.RecordBatch) -> Sequence[int] | None:
    """Return the line feeds in each row's values; None where there is none at all."""
    counts = None
    for values in batch.columns:
        buffer = values.buffers()[-1]
        if buffer is not None and b"\n" in memoryview(buffer).tobytes():
            found = pc.fill_null(pc.count_substring(values.view(pa.binary()), b"\n"), 0)
            counts = found if counts is None else pc.add(counts, found)
    return None if counts is None else cast("Sequence[int]", counts.to_pylist())
