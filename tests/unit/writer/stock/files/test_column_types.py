"""A column of parquet is read as the same values of the CSV, whatever type its writer chose."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from services.writer.stock.files.column_types import plain

_SUMMER, _IN_PARIS = map(dt.datetime.fromisoformat, ("2026-07-01T23:30", "2026-07-02T01:30"))


def _read(column: str, values: pa.Array) -> tuple[list[Any], dict[str, list[bool]]]:
    found, bad = plain(column, values)
    return found.to_pylist(), {code: rows.to_pylist() for code, rows in bad.items()}


@pytest.mark.parametrize(
    ("column", "number", "text"),
    [
        ("siren", 5520242, "005520242"),
        ("siret", 552024200013, "00552024200013"),
        ("nic", 13, "00013"),
        ("nic_siege", 13, "00013"),
        ("code_commune", 1004, "01004"),
        ("code_commune2", 1004, "01004"),
        ("code_postal", 1500, "01500"),
        ("code_cedex", 1500, "01500"),
        ("tranche_effectifs", 1, "01"),
        ("categorie_juridique", 1000, "1000"),
        ("annee_effectifs", 2022, "2022"),
        ("numero_voie", 4, "4"),
    ],
)
def test_codes_that_are_numbers_keep_their_zeros(column: str, number: int, text: str) -> None:
    for kind in (pa.int64(), pa.float64(), pa.decimal128(18, 0)):
        values = [Decimal(number) if pa.types.is_decimal(kind) else number, None]
        found, bad = _read(column, pa.array(values, kind))
        assert found == [text, None]
        assert not any(row for rows in bad.values() for row in rows)


def test_a_fraction_or_a_negative_number_is_no_code_and_nan_is_null() -> None:
    found, bad = _read("annee_effectifs", pa.array([2022.0, 20.5, float("nan"), float("inf")]))
    assert (found[0], found[2]) == ("2022", None)
    assert bad == {"bad_number": [False, True, False, True]}
    assert _read("code_commune", pa.array([33063, -1]))[1] == {"bad_number": [False, True]}


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.dictionary(pa.int32(), pa.string()),
        pa.dictionary(pa.int16(), pa.large_string()),
    ],
)
def test_texts_are_the_same_however_they_are_kept(kind: pa.DataType) -> None:
    found, bad = plain("enseigne1", pa.array(["CAFÉ", None, "01", "CAFÉ"]).cast(kind))
    assert found.type == pa.string()
    assert found.to_pylist() == ["CAFÉ", None, "01", "CAFÉ"]
    assert bad == {}


def test_a_text_that_is_no_utf_8_is_bad_alone() -> None:
    octets = pa.array([b"CAF\xc9", None, "CAFÉ".encode()])
    for values in (octets, octets.view(pa.string()), octets.cast(pa.large_binary())):
        found, bad = _read("enseigne1", values)
        assert found == [None, None, "CAFÉ"]
        assert bad == {"bad_encoding": [True, False, False]}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (pa.timestamp("us"), _SUMMER),
        (pa.timestamp("ns"), _SUMMER),
        (pa.timestamp("ms", "UTC"), _IN_PARIS),
        (pa.timestamp("us", "Europe/Paris"), _IN_PARIS),
        (pa.date32(), dt.date(2026, 7, 1)),
        (pa.date64(), dt.date(2026, 7, 1)),
    ],
)
def test_instants_become_french_local_time(kind: pa.DataType, expected: object) -> None:
    values = pa.array([_SUMMER, None]).cast(kind, safe=False)
    assert _read("date_dernier_traitement", values)[0] == [expected, None]


def test_booleans_and_their_numbers_are_texts() -> None:
    assert _read("siege", pa.array([True, False, None]))[0] == ["true", "false", None]
    assert _read("siege", pa.array([1.0, 0.0, None]))[0] == ["1", "0", None]


def test_a_column_of_nulls_has_no_value() -> None:
    assert _read("enseigne1", pa.nulls(2)) == ([None, None], {})
