"""A value of a stock file is read as the same value of the API is, whole columns at a time."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.simulator.register.stock_files import columns
from services.writer.stock.columns import COLLECTIONS, Layout, layout_of
from services.writer.stock.files.readers import LINE
from services.writer.stock.refusals import RefusedRow
from services.writer.stock.values import Chunk, clean
from shared.errors import UserError
from shared.sirene.records import PERSONAL_ETABLISSEMENT_FIELDS, Etablissement, UniteLegale
from shared.sirene.values import MappingError, date, instant, number, small_integer, text_of

_NAMES = columns("StockEtablissement")
_LATEST = dt.datetime(2026, 8, 1, 23, 59, 59)  # noqa: DTZ001  as INSEE's own
_DATES = st.one_of(
    st.none(),
    st.dates().map(dt.date.isoformat),
    st.datetimes().map(dt.datetime.isoformat),
    st.sampled_from(
        (
            "1900-01-01",
            "0001-01-01",
            "7490-12-31",
            "20240-01-01",
            "2024-13-01",
            "2024-1-1",
            "2024-02-30",
            "1900-01-01T10:00:00",
            "2024-01-01T00:00:00.123",
            " 2024-01-01 ",
            "hier",
            "[ND]",
        )
    ),
)
_TEXTS = st.one_of(
    st.none(), st.text(max_size=30), st.sampled_from(("[ND]", " [ND] ", "  ", "x" * 1001))
)


_ESCAPED = {r"\t": "\t", r"\n": "\n", r"\r": "\r", r"\042": '"', r"\\": "\\"}


def _row(**values: str | None) -> dict[str, str | None]:
    key = {"siret": "00000000100001", "siren": "000000001", "nic": "00001"}
    return {**key, "statutDiffusionEtablissement": "O", **values}


def _clean(*rows: dict[str, str | None]) -> Chunk:
    batch = pa.RecordBatch.from_arrays(
        [pa.array([row.get(name) for row in rows], pa.string()) for name in _NAMES],
        names=list(_NAMES),
    )
    lines = pa.array(range(2, 2 + len(rows)))
    return clean(batch.append_column(LINE, lines), layout_of(_NAMES), _LATEST)


def _line(chunk: Chunk) -> dict[str, str | None]:
    """The only row as COPY reads it."""
    (line,) = chunk.stream().read().decode().splitlines()
    return dict(zip(chunk.rows.schema.names, line.split("\t"), strict=True))


def _unescaped(copied: str) -> str:
    return re.sub(r"\\(?:t|n|r|042|\\)", lambda match: _ESCAPED[match[0]], copied)


def _expected(read: Callable[[dict[str, Any], str], object], value: str | None) -> object:
    try:
        return read({"k": value}, "k")
    except MappingError as error:
        return error


@pytest.mark.parametrize(
    ("column", "name", "read"),
    [
        ("date_creation", "dateCreationEtablissement", date),
        ("date_dernier_traitement", "dateDernierTraitementEtablissement", instant),
    ],
)
@given(value=_DATES)
@example(value="2026-11-26T23:30:00.000Z")
def test_dates_are_read_as_the_apis(
    column: str, name: str, read: Callable[[dict[str, Any], str], Any], value: str | None
) -> None:
    chunk = _clean(_row(**{name: value}))
    expected: Any = _expected(read, value)
    if isinstance(expected, MappingError):
        assert [r.code for r in chunk.refused] == [expected.code]
        return
    assert not chunk.refused
    found = _line(chunk).get(column)
    if expected is None:
        assert not found
    else:
        assert type(expected).fromisoformat(str(found)) == expected


@given(value=_TEXTS)
@example(value="0 \x00")
@example(value="[ND]\x00")
def test_texts_are_read_as_the_apis(value: str | None) -> None:
    chunk, expected = _clean(_row(enseigne1Etablissement=value)), _expected(text_of, value)
    if isinstance(expected, MappingError):
        assert [r.code for r in chunk.refused] == [expected.code]
        return
    assert not chunk.refused
    signs = chunk.rows.to_pydict().get("enseigne1", [None])
    assert (_unescaped(signs[0] or "") or None) == expected


_MIXED = (
    "33063",
    "A B",
    " A",
    "[ND]",
    "é",
    '"A\\',
    "A\tB",
    "A\x7f",
    "\x00A",
    "A\u2028",
    "x" * 1001,
)


@given(values=st.lists(st.one_of(_TEXTS, st.sampled_from(_MIXED)), min_size=1, max_size=4))
@example(values=["33063", None, "2A004"])
def test_texts_of_one_column_are_read_each_by_itself(values: list[str | None]) -> None:
    sirets = [f"0000000{n}100001" for n in range(len(values))]
    keys = [{"siret": siret, "siren": siret[:9]} for siret in sirets]
    rows = [_row(**key, enseigne1Etablissement=v) for key, v in zip(keys, values, strict=True)]
    chunk = _clean(*rows)
    read = [_expected(text_of, value) for value in values]
    good = [(s, v) for s, v in zip(sirets, read, strict=True) if not isinstance(v, MappingError)]
    assert [row.key for row in chunk.refused] == [s for s in sirets if s not in dict(good)]
    found = [line.split("\t") for line in chunk.stream().read().decode().splitlines()]
    names = chunk.rows.schema.names
    told = [dict(zip(names, line, strict=True)) for line in found]
    shown = [(row["siret"], _unescaped(row.get("enseigne1") or "") or None) for row in told]
    assert shown == good


@given(value=st.one_of(st.none(), st.floats().map(str), st.sampled_from(("[ND]", "", "1,5", "x"))))
def test_numbers_are_read_as_the_apis(value: str | None) -> None:
    chunk = _clean(_row(coordonneeLambertAbscisseEtablissement=value))
    expected = _expected(number, value)
    if isinstance(expected, MappingError):
        assert [r.code for r in chunk.refused] == [expected.code]
        return
    assert chunk.rows.to_pydict().get("coordonnee_lambert_abscisse", [None]) == [expected]


@given(value=st.one_of(st.none(), st.integers(-5, 40_000).map(str), st.just("[ND]")))
def test_small_numbers_are_read_as_the_apis(value: str | None) -> None:
    chunk = _clean(_row(nombrePeriodesEtablissement=value))
    expected = _expected(small_integer, value)
    if isinstance(expected, MappingError):
        assert [r.code for r in chunk.refused] == [expected.code]
        return
    assert chunk.rows.to_pydict().get("nombre_periodes", [None]) == [expected]


@pytest.mark.parametrize(
    ("column", "value", "code", "has_key"),
    [
        ("siret", "123", "bad_siret", False),
        ("siret", None, "bad_siret", False),
        ("statutDiffusionEtablissement", None, "missing_statut_diffusion", True),
        ("etablissementSiege", "oui", "bad_type", True),
    ],
)
def test_a_bad_row_is_named_and_its_neighbour_is_kept(
    column: str, value: str | None, code: str, *, has_key: bool
) -> None:
    good = _row(siret="00000000200001", siren="000000002")
    chunk = _clean(good, _row(**{column: value}))
    key = "00000000100001" if has_key else None
    assert chunk.refused == [RefusedRow(key, code, 3, column)]
    assert chunk.lines.to_pylist() == [2]
    assert chunk.rows.to_pydict()["siret"] == ["00000000200001"]


def test_a_siret_that_is_not_made_of_siren_and_nic_is_bad() -> None:
    (refused,) = _clean(_row(nic="00002")).refused
    assert (refused.code, refused.column) == ("bad_siret", "siret")


@pytest.mark.parametrize("days", [-800_000, 3_000_000])
def test_a_typed_date_beyond_the_calendar_says_nothing(days: int) -> None:
    columns = {name: pa.array([_row().get(name)], pa.string()) for name in _NAMES}
    columns["dateDebut"] = pa.array([days], pa.int32()).cast(pa.date32())
    batch = pa.RecordBatch.from_pydict({**columns, LINE: pa.array([2])})
    chunk = clean(batch, layout_of(_NAMES), _LATEST)
    assert "date_debut" not in chunk.rows.schema.names


@pytest.mark.parametrize(
    ("treated", "until"),
    [
        (("2026-07-20T10:00:00", "2104-01-01T00:00:00", None), "2026-07-20 10:00:00"),
        (("2026-08-01T23:59:59", "2026-08-02T00:00:00"), "2026-08-01 23:59:59"),
        (("2026-08-02T00:00:00",), "None"),
    ],
)
def test_a_treatment_after_the_files_day_does_not_count(
    treated: tuple[str | None, ...], until: str
) -> None:
    chunk = _clean(*(_row(dateDernierTraitementEtablissement=each) for each in treated))
    assert len(chunk.rows) == len(treated)
    assert str(chunk.treated_until) == until


def test_a_row_that_is_bad_twice_is_refused_once() -> None:
    chunk = _clean(_row(etablissementSiege="oui", dateCreationEtablissement="hier"))
    assert len(chunk.refused) == 1
    assert len(chunk.rows) == 0


def test_a_row_of_an_unknown_status_is_masked_and_its_status_told() -> None:
    shown = dict.fromkeys(_NAMES, "1") | {
        name: None
        for name in _NAMES
        if name.startswith(("date", "etablissementSiege", "statut", "nombre"))
    }
    shown |= {"etatAdministratifEtablissement": "F", "codeCommuneEtablissement": "33063"}
    odd = _row(**{**shown, **_row(), "statutDiffusionEtablissement": " V "})
    also = _row(**{**shown, **_row(siret="00000000200001", siren="000000002")})
    chunk = _clean(odd, also)
    assert not chunk.refused
    assert chunk.unknown_codes == {("statut_diffusion", "V")}
    masked, clear = chunk.rows.to_pylist()
    assert (masked["statut_diffusion"], clear["statut_diffusion"]) == ("P", "O")
    told = {name for name in PERSONAL_ETABLISSEMENT_FIELDS if clear[name] is not None}
    assert told == set(PERSONAL_ETABLISSEMENT_FIELDS)
    assert not any(masked[name] for name in PERSONAL_ETABLISSEMENT_FIELDS)
    assert masked["code_commune"] == "33063"


def test_a_unit_of_an_unknown_status_loses_a_persons_names_alone() -> None:
    names = columns("StockUniteLegale")
    rows = [
        {"siren": f"00000000{n}", "statutDiffusionUniteLegale": "V", "nomUniteLegale": "SECRET",
         "denominationUniteLegale": "ESSAI", "categorieJuridiqueUniteLegale": form}
        for n, form in enumerate(("1000", "5499", None))
    ]  # fmt: skip
    batch = pa.RecordBatch.from_arrays(
        [pa.array([row.get(name) for row in rows], pa.string()) for name in names]
        + [pa.array(range(2, 5))],
        names=[*names, LINE],
    )
    chunk = clean(batch, layout_of(names), _LATEST)
    assert chunk.rows.to_pydict()["denomination"] == [None, "ESSAI", None]
    assert chunk.rows.to_pydict()["statut_diffusion"] == ["P", "P", "P"]


def test_the_old_status_n_hides_as_p_does() -> None:
    assert _line(_clean(_row(statutDiffusionEtablissement="N")))["statut_diffusion"] == "P"


@pytest.mark.parametrize(
    ("commune", "departement", "region"),
    [("33063", "33", "75"), ("2A004", "2A", "94"), ("97411", "974", "04"), ("99999", "", "")],
)
def test_departement_and_region_follow_from_the_commune(
    commune: str, departement: str, region: str
) -> None:
    line = _line(_clean(_row(codeCommuneEtablissement=commune)))
    assert (line.get("departement") or "", line.get("region") or "") == (departement, region)


def test_the_map_names_every_column_of_the_records_and_every_known_one_is_known() -> None:
    for collection, file, record in (
        ("unites_legales", "StockUniteLegale", UniteLegale),
        ("etablissements", "StockEtablissement", Etablissement),
    ):
        layout: Layout = layout_of(columns(file))
        assert layout.collection == collection
        assert (layout.unknown, layout.absent) == ([], {})
        ours = set(record.__dataclass_fields__) - {"departement", "region"}
        assert set(layout.columns) == ours
    assert COLLECTIONS == ("unites_legales", "etablissements")


def test_a_header_without_what_is_needed_is_refused() -> None:
    names = [name for name in _NAMES if name != "codeCommuneEtablissement"]
    with pytest.raises(UserError, match=r"lacks the columns codeCommuneEtablissement$"):
        layout_of(names)
