"""The types that writers of parquet give to a column, read as the texts of the CSV.

Codes that were written as numbers get their zeros back; a null that was written as NaN is null.
"""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from services.writer.stock.files.signs import span_of

DATES = frozenset({"date_creation", "date_debut", "date_dernier_traitement"})
COORDINATES = frozenset({"coordonnee_lambert_abscisse", "coordonnee_lambert_ordonnee"})
_ADDRESS_CODES = ("code_commune", "code_postal", "code_cedex", "code_pays_etranger")
_WIDTHS: Mapping[str, int] = {
    "siren": 9,
    "siret": 14,
    "nic": 5,
    "nic_siege": 5,
    "categorie_juridique": 4,
    "tranche_effectifs": 2,
    **{code + address: 5 for code in _ADDRESS_CODES for address in ("", "2")},
}
# Greater whole numbers have no exact double.
_EXACT = float(2**53)
_BEYOND_ASCII = 0x80


def is_readable(kind: pa.DataType) -> bool:
    """Return whether a column of this type has one value a row."""
    return not pa.types.is_nested(kind)


def plain(column: str, values: pa.Array) -> tuple[pa.Array, Mapping[str, pa.Array]]:
    """Return the values as CSV has them, and the rows that cannot be read, by a code.

    Dates and coordinates keep a type of their own: `timestamp("us")` in French local time, `date32`
    and `double`.
    """
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if pa.types.is_temporal(kind) and column in DATES:
        return _local(values), {}
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _coordinate(values) if column in COORDINATES else _whole(column, values)
    return _text(values)


def _local(values: pa.Array) -> pa.Array:
    kind = values.type
    if not pa.types.is_timestamp(kind):
        return values.cast(pa.date32())
    if kind.tz is None:
        return values.cast(pa.timestamp("us"), safe=False)
    return pc.local_timestamp(values.cast(pa.timestamp("us", "Europe/Paris"), safe=False))


def _coordinate(values: pa.Array) -> tuple[pa.Array, Mapping[str, pa.Array]]:
    return values.cast(pa.float64(), safe=False), {}


def _whole(column: str, values: pa.Array) -> tuple[pa.Array, Mapping[str, pa.Array]]:
    bad: dict[str, pa.Array] = {}
    if not pa.types.is_integer(values.type):
        doubles = values.cast(pa.float64(), safe=False)
        doubles = pc.if_else(pc.fill_null(pc.is_nan(doubles), True), None, doubles)
        whole = pc.and_(pc.equal(pc.floor(doubles), doubles), pc.less(pc.abs(doubles), _EXACT))
        bad["bad_number"] = pc.fill_null(pc.invert(whole), False)
        values = pc.if_else(bad["bad_number"], None, doubles).cast(pa.int64())
    texts = values.cast(pa.string())
    if column in _WIDTHS:
        negative = pc.fill_null(pc.starts_with(texts, "-"), False)
        bad["bad_number"] = pc.or_(bad.get("bad_number", negative), negative)
        texts = pc.utf8_lpad(texts, _WIDTHS[column], "0")
    return texts, bad


def _text(values: pa.Array) -> tuple[pa.Array, Mapping[str, pa.Array]]:
    """Return texts; a value that is no UTF-8 becomes null, and its row is bad."""
    kind = values.type
    if pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        values = values.cast(pa.large_binary(), safe=False).cast(pa.binary())
    elif not pa.types.is_string(kind) and not pa.types.is_binary(kind):
        return values.cast(pa.string()), {}
    texts = values.view(pa.string())
    if span_of(texts)[1] < _BEYOND_ASCII:
        return texts, {}
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        octets = texts.view(pa.binary()).to_pylist()
        decoded = [value and _decoded(value) for value in octets]
        found = pa.array(decoded, pa.string())
        return found, {"bad_encoding": pc.xor(found.is_null(), texts.is_null())}
    return texts, {}


def _decoded(octets: bytes) -> str | None:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return None
