import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sirene.mapping.copy_values import BETWEEN, Keys, texts_of
from shared.sirene.mapping.insee_keys import MAX_UNKNOWN_KEYS
from shared.sirene.mapping.mapper import map_record, map_unite_legale
from shared.sirene.values import MAX_TEXT_LENGTH, MappingError, text_of

Record = dict[str, Any]
RecordWith = Callable[..., Record]


def test_every_recorded_establishment_maps_unharmed(recorded_etablissements: list[Record]) -> None:
    assert len(recorded_etablissements) == 33
    for record in recorded_etablissements:
        mapped = map_record(record)
        assert mapped.etablissement.siret == record["siret"]
        assert mapped.unite.siren == record["siret"][:9]
        assert mapped.etablissement.code_commune == record["adresseEtablissement"].get(
            "codeCommuneEtablissement"
        )
        assert not mapped.unknown_keys


def test_every_text_of_a_recorded_establishment_reaches_a_column(
    recorded_etablissements: list[Record],
) -> None:
    """Every value of the present shape is found again, except masks and periods."""
    for record in recorded_etablissements:
        mapped = map_record(record)
        stored = {
            str(getattr(row, name))
            for row in (mapped.unite, mapped.etablissement)
            for name in type(row).__slots__
        }
        for block in (record["uniteLegale"], record["adresseEtablissement"]):
            for key, value in block.items():
                if isinstance(value, str) and value != "[ND]" and not key.startswith("date"):
                    assert value in stored or str(float(value)) in stored, key


def test_every_recorded_unit_maps_unharmed(recorded_unites: list[Record]) -> None:
    assert len(recorded_unites) == 11
    for record in recorded_unites:
        unite = map_unite_legale(record).unite
        assert unite.siren == record["siren"]
        current = next(p for p in record["periodesUniteLegale"] if p["dateFin"] is None)
        denomination = current["denominationUniteLegale"]
        assert unite.denomination == (None if denomination == "[ND]" else denomination)


def test_unit_keys_of_a_private_answer_are_known_to_be_unknown_and_not_stored(
    recorded_unites: list[Record],
) -> None:
    unknown = set().union(*(map_unite_legale(record).unknown_keys for record in recorded_unites))
    assert unknown == {
        "unite.codeCommuneNaissanceUniteLegale",
        "unite.codePaysNaissanceUniteLegale",
        "unite.dateNaissanceUniteLegale",
        "unite.libelleNationaliteUniteLegale",
    }


def test_a_masked_value_is_no_value(record_with: RecordWith) -> None:
    mapped = map_record(
        record_with(
            statutDiffusionEtablissement="P",
            adresse={
                "libelleVoieEtablissement": "[ND]",
                "coordonneeLambertAbscisseEtablissement": "[ND]",
            },
            unite={"nomUniteLegale": "[ND]"},
        )
    )
    assert mapped.etablissement.statut_diffusion == "P"
    assert mapped.etablissement.libelle_voie is None
    assert mapped.etablissement.coordonnee_lambert_abscisse is None
    assert mapped.unite.nom is None


def test_the_old_status_n_hides_like_p(record_with: RecordWith) -> None:
    record = record_with(statutDiffusionEtablissement="N")
    assert map_record(record).etablissement.statut_diffusion == "P"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("", None),
        ("  ", None),
        ("NUL\x00 INSIDE", "NUL INSIDE"),
        ("LONE \ud83d SURROGATE", "LONE  SURROGATE"),
        ("\x00", None),
        ("CAFÉ 🍕", "CAFÉ 🍕"),
        (75, "75"),
    ],
)
def test_a_text_is_stored_as_postgresql_can_hold_it(
    record_with: RecordWith, text: object, stored: str | None
) -> None:
    record = record_with(periode={"enseigne1Etablissement": text})
    assert map_record(record).etablissement.enseigne1 == stored


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (None, None),
        ("1900-01-01", None),
        ("2024-02-29", dt.date(2024, 2, 29)),
        ("2024-02-28T23:30:00Z", dt.date(2024, 2, 29)),
        ("0001-01-01", dt.date(1, 1, 1)),
        ("7490-12-31", dt.date(7490, 12, 31)),
        ("0000-01-01", None),
        ("10001-01-01", None),
    ],
)
def test_a_date_no_calendar_holds_is_unknown(
    record_with: RecordWith, text: str | None, stored: dt.date | None
) -> None:
    record = record_with(dateCreationEtablissement=text)
    assert map_record(record).etablissement.date_creation == stored


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2024-03-30T10:39:48.059", dt.datetime(2024, 3, 30, 10, 39, 48, 59_000)),  # noqa: DTZ001  as INSEE
        ("2019-12-01T20:00:57", dt.datetime(2019, 12, 1, 20, 0, 57)),  # noqa: DTZ001  as INSEE
        ("2019-12-01", dt.datetime(2019, 12, 1)),  # noqa: DTZ001  as INSEE
        ("2026-11-26T23:30:00.000Z", dt.datetime(2026, 11, 27, 0, 30)),  # noqa: DTZ001  as INSEE
        ("2026-07-01T23:30:00+0000", dt.datetime(2026, 7, 2, 1, 30)),  # noqa: DTZ001  as INSEE
        ("2026-11-27T00:30:00+01:00", dt.datetime(2026, 11, 27, 0, 30)),  # noqa: DTZ001  as INSEE
        ("9999-12-31T23:59:59Z", None),
        (None, None),
    ],
)
def test_a_treatment_date_may_lack_milliseconds_or_all(
    record_with: RecordWith, text: str | None, stored: dt.datetime | None
) -> None:
    record = record_with(dateDernierTraitementEtablissement=text)
    assert map_record(record).etablissement.date_dernier_traitement == stored


def test_the_current_period_is_the_one_without_an_end(record_with: RecordWith) -> None:
    record = record_with()
    current = dict(record["periodesEtablissement"][0], activitePrincipaleEtablissement="10.71C")
    past = dict(current, dateFin="2020-01-01", activitePrincipaleEtablissement="56.10A")
    record["periodesEtablissement"] = [past, current]
    assert map_record(record).etablissement.activite_principale == "10.71C"


@pytest.mark.parametrize("periods", [None, []])
def test_missing_periods_leave_the_state_unknown(
    record_with: RecordWith, periods: list[Record] | None
) -> None:
    mapped = map_record(record_with(periodesEtablissement=periods))
    assert mapped.etablissement.etat_administratif is None


def test_missing_keys_are_no_error(record_with: RecordWith) -> None:
    record = record_with()
    bare = {key: record[key] for key in ("siret", "statutDiffusionEtablissement")}
    bare["uniteLegale"] = {"statutDiffusionUniteLegale": "O"}
    mapped = map_record(bare)
    assert mapped.etablissement.code_commune is None
    assert mapped.etablissement.nic == record["nic"]


def test_new_keys_are_named_and_fail_nothing(record_with: RecordWith) -> None:
    record = record_with(nouvelleCle={"a": 1}, unite={"autreCle": "x"})
    mapped = map_record(record)
    assert mapped.unknown_keys == {"etablissement.nouvelleCle", "unite.autreCle"}


def test_the_number_of_unknown_keys_is_bounded(record_with: RecordWith) -> None:
    mapped = map_record(record_with(**{f"cle{number}": 1 for number in range(500)}))
    assert len(mapped.unknown_keys) == MAX_UNKNOWN_KEYS


@pytest.mark.parametrize(
    ("code_commune", "departement", "region"),
    [
        ("33063", "33", "75"),
        ("75107", "75", "11"),
        ("2A004", "2A", "94"),
        ("2B033", "2B", "94"),
        ("97411", "974", "04"),
        ("97801", "978", "978"),
        ("98735", "987", "987"),
        ("00000", None, None),
        (None, None, None),
    ],
)
def test_the_departement_follows_from_the_commune(
    record_with: RecordWith, code_commune: str | None, departement: str | None, region: str | None
) -> None:
    record = record_with(adresse={"codeCommuneEtablissement": code_commune})
    etablissement = map_record(record).etablissement
    assert (etablissement.departement, etablissement.region) == (departement, region)


_FAULTS: list[tuple[str, Record]] = [
    ("missing_siret", {"siret": None}),
    ("bad_siret", {"siret": "123"}),
    ("bad_siret", {"nic": "99999"}),
    ("bad_siret", {"siren": "999999999"}),
    ("missing_unite_legale", {"uniteLegale": None}),
    ("bad_type", {"uniteLegale": "x"}),
    ("bad_type", {"periodesEtablissement": {}}),
    ("bad_type", {"etablissementSiege": "true"}),
    ("bad_type", {"periode": {"enseigne1Etablissement": ["SECRET"]}}),
    ("bad_type", {"periode": {"enseigne1Etablissement": True}}),
    ("bad_date", {"dateCreationEtablissement": "SECRET"}),
    ("bad_date", {"dateCreationEtablissement": "2023-02-30"}),
    ("bad_date", {"dateDernierTraitementEtablissement": "2023-02-03T25:00:00"}),
    ("bad_number", {"nombrePeriodesEtablissement": 40_000}),
    ("bad_number", {"adresse": {"coordonneeLambertAbscisseEtablissement": "SECRET"}}),
    ("missing_statut_diffusion", {"statutDiffusionEtablissement": None}),
    ("bad_type", {"unite": {"statutDiffusionUniteLegale": ["SECRET"]}}),
    ("too_long", {"periode": {"enseigne1Etablissement": "S" * (MAX_TEXT_LENGTH + 1)}}),
]


@pytest.mark.parametrize(("code", "changes"), _FAULTS)
def test_a_fault_has_a_code_and_a_message_without_values(
    record_with: RecordWith, code: str, changes: Record
) -> None:
    with pytest.raises(MappingError) as raised:
        map_record(record_with(**changes))
    assert raised.value.code == code
    assert "SECRET" not in str(raised.value)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize("record", [None, 3, "x", [], [{}]])
def test_something_else_than_an_object_is_a_mapping_error(record: object) -> None:
    with pytest.raises(MappingError):
        map_record(record)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(data=st.data())
def test_any_json_maps_or_raises_a_mapping_error(data: st.DataObject) -> None:
    record: Record = {
        "siret": "55203253400646",
        "statutDiffusionEtablissement": "O",
        "uniteLegale": {"statutDiffusionUniteLegale": "O"},
        "adresseEtablissement": {},
        "periodesEtablissement": [{"dateFin": None}],
    }
    places = [record, record["uniteLegale"], record["adresseEtablissement"]]
    places.append(record["periodesEtablissement"][0])
    for _ in range(3):
        place = data.draw(st.sampled_from(places))
        key = data.draw(st.sampled_from(_ALL_KEYS))
        place[key] = data.draw(_JSON)
    assert _code(record) in {None, *_CODES}


def _code(record: Record) -> str | None:
    try:
        map_record(record)
    except MappingError as error:
        return error.code
    return None


_CODES = {code for code, _ in _FAULTS}
_ALL_KEYS = [
    "siret",
    "siren",
    "uniteLegale",
    "adresseEtablissement",
    "periodesEtablissement",
    "dateCreationEtablissement",
    "dateDernierTraitementEtablissement",
    "nombrePeriodesEtablissement",
    "coordonneeLambertAbscisseEtablissement",
    "enseigne1Etablissement",
    "codeCommuneEtablissement",
    "denominationUniteLegale",
    "statutDiffusionUniteLegale",
]


_TEXTS = (
    st.none()
    | st.text(max_size=8)
    | st.sampled_from(
        [
            "",
            "[ND]",
            "[ND",
            " A",
            "A ",
            "\u00a0A",
            "A\t",
            "[A]",
            "|",
            "| ",
            " |",
            "A|",
            "A\\N",
            "\\",
            "A\\",
            "A\tB\nC\rD\\E",
        ]
    )
    | st.sampled_from([0, 75, 1.5, False, True, "\x00", "\ud800", "A" * (MAX_TEXT_LENGTH + 1)])
)


@given(one=_TEXTS, other=_TEXTS)
def test_the_quick_look_at_texts_finds_what_the_close_one_finds(one: object, other: object) -> None:
    block = {"one": one, "other": other}
    assert _outcome(lambda: texts_of(BETWEEN.join(Keys(block).texts(block)))) == _outcome(
        lambda: [text_of(block, key) or "" for key in block]
    )


def _outcome(read: Callable[[], object]) -> object:
    try:
        return read()
    except MappingError as error:
        return error.code
