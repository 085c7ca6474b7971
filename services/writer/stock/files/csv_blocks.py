"""A block of a CSV, read by itself: its good rows as a batch, and the others by name."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from services.writer.stock.files.csv_lines import (
    CsvLines,
    CsvRow,
    are_rows,
    is_open,
    is_utf8,
    rows_of,
)
from services.writer.stock.files.readers import LINE
from services.writer.stock.files.signs import bytes_of
from services.writer.stock.refusals import RefusedRow
from shared.sirene.identifiers import is_siren, is_siret
from shared.sirene.values import MASKED

# Python puts it in the place of an octet that is no UTF-8.
_LOST: Final = "\ufffd"
# Arrow makes several batches of more than this.
_MOST_BYTES: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Block:
    """The good rows of some lines, and the others. `rest` is a row that later lines complete."""

    rows: pa.RecordBatch
    broken: Sequence[RefusedRow] = ()
    rest: bytes = b""

    @property
    def ends_broken(self) -> bool:
        last = self.rows.column(LINE)[-1].as_py() if len(self.rows) else 0
        return bool(self.broken) and self.broken[-1].line > last


def _breaks(rows: pa.RecordBatch) -> pa.Array | None:
    """Return how many line feeds each row has in its values; None where no value has one."""
    found = [
        pc.fill_null(pc.count_substring(values, "\n"), 0)
        for values in rows.columns
        if b"\n" in bytes_of(values)
    ]
    return reduce(pc.add, found) if found else None


class BlockParser:
    """Reads the lines of one file. Threads may share it: Arrow leaves them side by side."""

    def __init__(self, names: Sequence[str], delimiter: str, columns: Sequence[str]) -> None:
        self._names = names
        self._delimiter = delimiter
        self._read_options = pyarrow.csv.ReadOptions(
            # Only without threads does Arrow number the rows that it skips.
            block_size=_MOST_BYTES,
            column_names=names,
            use_threads=False,
        )
        self._convert_options = pyarrow.csv.ConvertOptions(
            check_utf8=False,
            include_columns=columns,
            column_types=dict.fromkeys(columns, pa.string()),
            null_values=["", MASKED],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        )
        kinds = [*((column, pa.string()) for column in columns), (LINE, pa.int64())]
        self._no_rows = pa.RecordBatch.from_pylist([], schema=pa.schema(kinds))

    def parse(self, lines: CsvLines) -> Block:
        """Read lines that begin with a row; look at each row only where a line is no good row."""
        try:
            rows = self._read(lines.octets)
        except pa.ArrowInvalid:
            return self._parse_rows(lines)
        numbers = self._numbers(rows, lines)
        if numbers is None or not is_utf8(lines.octets):
            return self._parse_rows(lines)
        return Block(rows.append_column(LINE, numbers))

    def _numbers(self, rows: pa.RecordBatch, lines: CsvLines) -> pa.Array | None:
        """Return the line of each row; None where only a look at each row tells.

        A row of several lines is looked at by itself: nearly no block has one, and few rows are it.
        """
        delimiter = self._delimiter.encode()
        if len(rows) == lines.count:
            plain = pa.arange(lines.first, lines.first + len(rows))
            return None if is_open(lines.last, delimiter) else plain
        breaks = _breaks(rows)
        if breaks is None or len(rows) + pc.sum(breaks).as_py() != lines.count:
            return None
        before = pc.subtract(pc.cumulative_sum(breaks), breaks)
        numbers = pc.add(pa.arange(lines.first, lines.first + len(rows)), before)
        several = pc.greater(breaks, 0)
        those = (each.filter(several).to_pylist() for each in (numbers, breaks))
        looked_at = dict(zip(*those, strict=True))
        looked_at[numbers[-1].as_py()] = breaks[-1].as_py()
        return numbers if are_rows(lines, looked_at, delimiter) else None

    def _parse_rows(self, lines: CsvLines) -> Block:
        rows, rest = rows_of(lines, self._delimiter.encode())
        bad = [row for row in rows if row.code]
        batches = [self._no_rows]
        bad += self._divide([row for row in rows if not row.code], batches)
        bad.sort(key=lambda row: row.line)
        broken = [refused for row in bad for refused in self._refuse(row)]
        return Block(pa.concat_batches(batches), broken, rest)

    def _divide(self, rows: Sequence[CsvRow], batches: list[pa.RecordBatch]) -> list[CsvRow]:
        """Add the good rows to the batches; return those that have too few or too many values."""
        if not rows:
            return []
        skipped: set[int] = set()

        def skip(row: pyarrow.csv.InvalidRow) -> str:
            skipped.add(row.number - 1)
            return "skip"

        read = self._read(b"".join(row.octets for row in rows), skip)
        if len(read) + len(skipped) == len(rows):
            good = [row.line for at, row in enumerate(rows) if at not in skipped]
            batches.append(read.append_column(LINE, pa.array(good, pa.int64())))
            return [replace(rows[at], code="bad_row") for at in skipped]
        # Arrow saw a row end at a carriage return.
        if len(rows) == 1:
            return [replace(rows[0], code="bad_row")]
        middle = len(rows) // 2
        return self._divide(rows[:middle], batches) + self._divide(rows[middle:], batches)

    def _read(
        self, octets: bytes, skip: Callable[[pyarrow.csv.InvalidRow], str] | None = None
    ) -> pa.RecordBatch:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(octets),
            read_options=self._read_options,
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self._delimiter, invalid_row_handler=skip
            ),
            convert_options=self._convert_options,
        )
        return pa.RecordBatch.from_arrays(
            [column.chunk(0) for column in table.columns], names=table.column_names
        )

    def _refuse(self, row: CsvRow) -> list[RefusedRow]:
        """Name the row; one of several lines by each of them, which may have been a row."""
        text = row.octets.decode(errors="replace").rstrip("\r\n")
        lines = text.split("\n") if row.code == "bad_row" else [text]
        return [self._name(line, number, row.code) for number, line in enumerate(lines, row.line)]

    def _name(self, text: str, line: int, code: str) -> RefusedRow:
        found = dict(zip(self._names, self._values(text), strict=False))
        name, is_key = ("siret", is_siret) if "siret" in self._names else ("siren", is_siren)
        key = found.get(name, "")
        column = next((name for name, value in found.items() if _LOST in value), None)
        return RefusedRow(key if is_key(key) else None, code, line, column)

    def _values(self, text: str) -> list[str]:
        try:
            return next(csv.reader([text.replace("\r", " ")], delimiter=self._delimiter), [])
        except csv.Error:
            # It has a value that is longer than any of the register.
            return []
