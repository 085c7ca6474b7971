"""A status of diffusion that nobody knows hides as a P does."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.sirene.digests import digests_of, split_record
from shared.sirene.mapping.insee_keys import camel
from shared.sirene.mapping.mapper import map_record
from shared.sirene.records import (
    PERSONAL_ETABLISSEMENT_FIELDS,
    PERSONAL_UNITE_FIELDS,
    SIGN_FIELDS,
    STREET_FIELDS,
)

Record = dict[str, Any]
RecordWith = Callable[..., Record]
_UNITE = {f"{camel(name)}UniteLegale": "SECRET" for name in PERSONAL_UNITE_FIELDS}
_SIGNS = {f"{camel(name)}Etablissement": "SECRET" for name in SIGN_FIELDS}
_STREETS = {f"{camel(name)}Etablissement": "1" for name in STREET_FIELDS}
_FIRST, _SECOND = (
    {key: value for key, value in _STREETS.items() if ("2E" in key) is second}
    for second in (False, True)
)


@pytest.fixture
def shown(record_with: RecordWith) -> RecordWith:
    """Return a record of a person in which every field has a value."""

    def build(statut: object, of_unite: object = "O", forme: str | None = "1000") -> Record:
        return record_with(
            statutDiffusionEtablissement=statut,
            adresse=_FIRST,
            adresse2Etablissement=_SECOND,
            periode=_SIGNS,
            unite={
                **_UNITE,
                "statutDiffusionUniteLegale": of_unite,
                "categorieJuridiqueUniteLegale": forme,
            },
        )

    return build


@pytest.mark.parametrize(("statut", "of_unite"), [("V", "O"), ("O", "V"), (" v", "V"), (7, "P")])
def test_no_field_of_a_person_is_stored(
    shown: RecordWith, statut: object, of_unite: object
) -> None:
    clear = map_record(shown("O"))
    mapped = map_record(shown(statut, of_unite))
    for name in PERSONAL_ETABLISSEMENT_FIELDS:
        assert getattr(clear.etablissement, name) is not None, name
        assert getattr(mapped.etablissement, name) is None, name
    assert not any(getattr(each, name) for each in mapped.periodes for name in SIGN_FIELDS)
    if of_unite == "V":
        assert not any(getattr(mapped.unite, name) for name in PERSONAL_UNITE_FIELDS)
    assert mapped.etablissement.statut_diffusion == ("O" if statut == "O" else "P")
    assert mapped.unite.statut_diffusion == ("O" if of_unite == "O" else "P")
    assert mapped.etablissement.code_commune == clear.etablissement.code_commune
    assert mapped.etablissement.activite_principale == clear.etablissement.activite_principale


def test_a_legal_person_loses_the_street_alone(shown: RecordWith) -> None:
    mapped = map_record(shown("V", "V", "5499"))
    assert mapped.unite.denomination == mapped.etablissement.enseigne1 == "SECRET"
    assert not any(getattr(mapped.etablissement, name) for name in STREET_FIELDS)


def test_the_status_is_told_as_an_unknown_code_of_closed_ones_too(shown: RecordWith) -> None:
    record = shown(" V ", "W")
    expected = {("statut_diffusion", "V"), ("statut_diffusion", "W")}
    assert map_record(record).unknown_codes >= expected
    record["periodesEtablissement"][0]["etatAdministratifEtablissement"] = "F"
    assert map_record(record).unknown_codes == expected
    assert map_record(shown("P", "O")).unknown_codes.isdisjoint(expected)


@pytest.mark.parametrize(("statut", "of_unite"), [("O", "O"), ("P", "O"), ("N", "P"), (None, "O")])
def test_a_known_status_changes_nothing(
    shown: RecordWith, statut: object, of_unite: object
) -> None:
    record = shown(statut, of_unite)
    assert split_record(record).etablissement is record


def test_a_masked_record_is_split_again_with_the_same_digests(shown: RecordWith) -> None:
    split = split_record(shown("V", "V"))
    assert digests_of(split_record(split.etablissement)) == digests_of(split)
    assert "SECRET" not in str(split)
