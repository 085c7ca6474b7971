"""A chunk of a stock file as lines for COPY, by the rules of `shared.sirene.mapping.mapper`.

Whole columns are read at a time. Values that are not in the usual form are read by the functions
that read the values of the API.
"""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from services.writer.stock.columns import Layout, key_of
from services.writer.stock.files.column_types import plain
from services.writer.stock.files.readers import LINE
from services.writer.stock.files.signs import escape, hold_codes, unmasked, without_controls
from services.writer.stock.refusals import RefusedRow
from services.writer.stock.unknown_codes import codes_in_columns, hide_unknown
from shared.sirene.mapping.unknown_codes import NO_CODES, Codes
from shared.sirene.reference import departement_of, region_of
from shared.sirene.values import (
    MAX_TEXT_LENGTH,
    MappingError,
    date,
    instant,
    number,
    small_integer,
    statut_diffusion,
)

_FIRST, _LAST = dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001  as INSEE's own
_UNKNOWN_FROM, _UNKNOWN_TO = dt.datetime(1900, 1, 1), dt.datetime(1900, 1, 2)  # noqa: DTZ001  as INSEE's own
# Writers of parquet may make numbers of them.
_BOOLEANS = {None: None, "": None, "true": "t", "false": "f", "1": "t", "0": "f"}
_AS_WRITTEN = pyarrow.csv.WriteOptions(
    include_header=False, delimiter="\t", quoting_style="none", batch_size=8192
)

# Returns the value, or raises MappingError with a code.
_Read = Callable[[Mapping[str, Any], str], object]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows with the register's columns; `treated_until` is their latest credible treatment.

    `lines` tells where each row stands in the file.
    """

    rows: pa.RecordBatch
    lines: pa.Array
    refused: Sequence[RefusedRow]
    treated_until: dt.datetime | None
    unknown_codes: Codes = NO_CODES

    def without(self, more: Sequence[RefusedRow]) -> "Chunk":
        """Return the chunk with more refused rows, of which it has no values."""
        if not more:
            return self
        refused = sorted([*self.refused, *more], key=lambda row: row.line)
        return replace(self, refused=refused)

    def stream(self) -> pa.BufferReader:
        """Return the rows in COPY's text format, with an empty value for NULL."""
        sink = pa.BufferOutputStream()
        pyarrow.csv.write_csv(self.rows, sink, _AS_WRITTEN)
        return pa.BufferReader(sink.getvalue())

    def halves(self) -> list["Chunk"]:
        middle = len(self.rows) // 2
        return [
            Chunk(self.rows.slice(*part), self.lines.slice(*part), (), self.treated_until)
            for part in ((0, middle), (middle, None))
        ]


def clean(batch: pa.RecordBatch, layout: Layout, latest_treatment: dt.datetime) -> Chunk:
    """Map and check the values, derive others; a bad row alone is left out and named.

    `treated_until` knows nothing of treatments after `latest_treatment`.
    """
    cleaner = _Cleaner(layout.columns, batch.column(LINE))
    columns = {
        column: cleaner.column(column, batch.column(name))
        for column, name in layout.columns.items()
    }
    key = key_of(layout.collection)
    cleaner.check_key(columns, key)
    if "code_commune" in columns:
        # A chunk has ten thousand communes with a hundred prefixes, and a prefix is enough.
        prefixes = _prefixes(columns["code_commune"])
        columns["departement"] = _mapped(prefixes, departement_of, pa.string())
        columns["region"] = _mapped(columns["departement"], region_of, pa.string())
    columns, statuts = hide_unknown(columns, cleaner.statuts)
    kept, lines, refused = cleaner.divide(columns, key)
    dates = kept.column("date_dernier_traitement")
    credible = dates.filter(pc.less_equal(dates, pa.scalar(latest_treatment, dates.type)))
    latest = pc.max(credible).as_py()
    codes = codes_in_columns(columns) | statuts
    return Chunk(_escape_columns(kept, cleaner.codes), lines, refused, latest, codes)


class _Cleaner:
    """Reads columns and marks bad rows; the first reason of a row counts."""

    def __init__(self, names: Mapping[str, str], lines: pa.Array) -> None:
        self._bad: list[tuple[str, str, pa.Array]] = []
        self._names = names
        self._lines = lines
        self._column = ""
        self.statuts: pa.Array = pa.nulls(0, pa.string())
        """The statuses of diffusion as they are sent."""
        self.codes: set[str] = set()
        """The columns of which COPY wants no sign escaped."""

    def column(self, name: str, values: pa.Array) -> pa.Array:
        self._column = name
        values, unreadable = plain(name, values)
        for code, bad in unreadable.items():
            self._mark(bad, code)
        match name:
            case "date_dernier_traitement":
                found = self._dates(values, instant, pa.timestamp("us"))
            case "date_creation" | "date_debut":
                found = self._dates(values, date, pa.date32())
            case "coordonnee_lambert_abscisse" | "coordonnee_lambert_ordonnee":
                found = self._numbers(values)
            case "nombre_periodes":
                found = self._read(values, small_integer, pa.int16())
            case "siege":
                found = self._read(values, _boolean, pa.string())
            case "unite_purgee":
                found = self._read(values, _boolean, pa.string()).fill_null("f")
            case "statut_diffusion":
                self.statuts = values.fill_null("")
                found = self._read(self.statuts, statut_diffusion, pa.string())
            case _:
                found = self._texts(values)
        return found

    def check_key(self, columns: Mapping[str, pa.Array], key: str) -> None:
        self._column = key
        keys = columns[key]
        length = 9 if key == "siren" else 14
        digits = pc.and_(pc.ascii_is_decimal(keys), pc.equal(pc.binary_length(keys), length))
        self._mark(_not(digits), f"bad_{key}")
        if key == "siret":
            parts = pc.binary_join_element_wise(columns["siren"], columns["nic"], "")
            self._mark(_not(pc.equal(parts, keys)), "bad_siret")

    def divide(
        self, columns: Mapping[str, pa.Array], key: str
    ) -> tuple[pa.RecordBatch, pa.Array, list[RefusedRow]]:
        """Return the good rows with their lines, and the bad ones."""
        rows = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
        if not self._bad:
            return rows, self._lines, []
        whole: pa.Array = pa.array([True] * len(rows))
        refused: list[RefusedRow] = []
        for code, column, bad in self._bad:
            new = pc.and_(bad, whole)
            keys = rows.column(key).filter(new).to_pylist()
            lines = self._lines.filter(new).to_pylist()
            refused += [
                RefusedRow(None if code == f"bad_{key}" else k, code, line, column)
                for k, line in zip(keys, lines, strict=True)
            ]
            whole = pc.and_not(whole, bad)
        return rows.filter(whole), self._lines.filter(whole), refused

    def _mark(self, bad: pa.Array, code: str) -> None:
        if pc.any(bad).as_py():
            self._bad.append((code, self._names[self._column], bad))

    def _texts(self, values: pa.Array) -> pa.Array:
        if values.null_count == len(values):
            return values
        if are_codes := hold_codes(values):
            self.codes.add(self._column)
        # Controls go first: a space or a mask may stand before them.
        trimmed = values if are_codes else pc.utf8_trim_whitespace(without_controls(values))
        if (pc.max(pc.binary_length(trimmed)).as_py() or 0) > MAX_TEXT_LENGTH:
            too_long = pc.greater(pc.utf8_length(trimmed), MAX_TEXT_LENGTH)
            self._mark(pc.fill_null(too_long, False), "too_long")
        return trimmed if are_codes else unmasked(trimmed)

    def _dates(self, values: pa.Array, read: _Read, type_: pa.DataType) -> pa.Array:
        found = self._cast(values, read, type_)
        if pa.types.is_temporal(values.type):
            found = _without(found, _beyond_calendar(found))
        unknown = pc.and_(
            pc.greater_equal(found, pa.scalar(_UNKNOWN_FROM, type_)),
            pc.less(found, pa.scalar(_UNKNOWN_TO, type_)),
        )
        return _without(found, unknown)

    def _numbers(self, values: pa.Array) -> pa.Array:
        if pa.types.is_string(values.type):
            values = unmasked(values)
        found = self._cast(values, number, pa.float64())
        return _without(found, pc.invert(pc.is_finite(found)))

    def _cast(self, values: pa.Array, read: _Read, type_: pa.DataType) -> pa.Array:
        try:
            # A date may come as the midnight of its day.
            return values.cast(type_, safe=not pa.types.is_temporal(values.type))
        except pa.ArrowInvalid:
            return self._read(values, read, type_)

    def _read(self, values: pa.Array, read: _Read, type_: pa.DataType) -> pa.Array:
        """Read by the function that reads the API's value, once for each distinct value."""
        codes: dict[str | None, str] = {}

        def value_of(text: str | None) -> object:
            try:
                return read({"value": text}, "value")
            except MappingError as error:
                codes[text] = error.code
                return None

        found = _mapped(values, value_of, type_)
        for code in sorted(set(codes.values())):
            texts = pa.array([t for t, c in codes.items() if c == code], values.type)
            self._mark(pc.is_in(values, texts), code)
        return found


def _without(values: pa.Array, bad: pa.Array) -> pa.Array:
    return pc.if_else(pc.fill_null(bad, False), None, values)


def _beyond_calendar(found: pa.Array) -> pa.Array:
    """Tell the dates that have no year of Python's calendar."""
    first, last = (pa.scalar(day, found.type) for day in (_FIRST, _LAST))
    return pc.or_(pc.less(found, first), pc.greater(found, last))


def _prefixes(communes: pa.Array) -> pa.Array:
    overseas = pc.or_(pc.starts_with(communes, "97"), pc.starts_with(communes, "98"))
    two, three = (pc.utf8_slice_codeunits(communes, 0, length) for length in (2, 3))
    return pc.if_else(overseas, three, two)


def _boolean(block: Mapping[str, Any], key: str) -> str | None:
    try:
        return _BOOLEANS[block[key]]
    except KeyError:
        raise MappingError("bad_type", f"{key} is not a boolean") from None


def _mapped(values: pa.Array, of: Callable[[Any], object], type_: pa.DataType) -> pa.Array:
    encoded = values.dictionary_encode()
    found = pa.array([of(value) for value in encoded.dictionary.to_pylist()], type_)
    return found.take(encoded.indices)


def _not(found: pa.Array) -> pa.Array:
    return pc.invert(pc.fill_null(found, False))


def _escape_columns(rows: pa.RecordBatch, codes: Collection[str]) -> pa.RecordBatch:
    """Drop the columns that are empty throughout, a third of them; escape the others for COPY."""
    columns = {
        name: escape(values) if _is_text(name, values, codes) else values
        for name, values in zip(rows.schema.names, rows.columns, strict=True)
        if values.null_count < len(values)
    }
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def _is_text(name: str, values: pa.Array, codes: Collection[str]) -> bool:
    return name not in codes and pa.types.is_string(values.type)
