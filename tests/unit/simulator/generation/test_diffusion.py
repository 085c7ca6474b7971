import copy
from collections.abc import Mapping
from typing import Any

from services.simulator.generation.diffusion import (
    MASK,
    is_hidden,
    masked_etablissement,
    masked_unite,
)
from services.simulator.register.registers import GeneratedRegister

_NAMES = (
    "nomUniteLegale",
    "prenom1UniteLegale",
    "sexeUniteLegale",
    "denominationUsuelle1UniteLegale",
)
_STREET = ("numeroVoieEtablissement", "libelleVoieEtablissement", "codePostalEtablissement")
_PLACE = ("codeCommuneEtablissement", "libelleCommuneEtablissement")


def _record(register: GeneratedRegister, *, natural: bool, etablissement: str, unite: str) -> Any:
    """Return an unmasked generated record with these statuses."""
    for position in range(register.size("siret")):
        record: Any = register.unmasked(register.identifier("siret", position))
        if (record["uniteLegale"]["categorieJuridiqueUniteLegale"] == "1000") == natural:
            record["statutDiffusionEtablissement"] = etablissement
            record["uniteLegale"]["statutDiffusionUniteLegale"] = unite
            return record
    raise AssertionError("no such record")


def _hidden(record: Mapping[str, Any]) -> set[str]:
    blocks = [
        record["uniteLegale"],
        record["adresseEtablissement"],
        record["periodesEtablissement"][0],
    ]
    return {name for block in blocks for name, value in block.items() if value == MASK}


def test_a_partial_natural_person_loses_names_and_street(register: GeneratedRegister) -> None:
    record = _record(register, natural=True, etablissement="P", unite="P")
    before = copy.deepcopy(record)
    hidden = _hidden(masked_etablissement(record))
    assert hidden >= {
        *_NAMES,
        *_STREET,
        "enseigne1Etablissement",
        "coordonneeLambertAbscisseEtablissement",
    }
    assert not hidden & set(_PLACE)
    assert record == before, "masking works on a copy"


def test_a_partial_legal_person_loses_only_its_address(register: GeneratedRegister) -> None:
    record = _record(register, natural=False, etablissement="P", unite="P")
    hidden = _hidden(masked_etablissement(record))
    assert hidden >= {*_STREET, "coordonneeLambertAbscisseEtablissement"}
    assert not hidden & {"denominationUniteLegale", "enseigne1Etablissement", *_NAMES, *_PLACE}


def test_the_statuses_of_establishment_and_unit_are_independent(
    register: GeneratedRegister,
) -> None:
    only_unit = _hidden(
        masked_etablissement(_record(register, natural=True, etablissement="O", unite="P"))
    )
    assert only_unit >= set(_NAMES)
    assert not only_unit & {*_STREET, "enseigne1Etablissement"}
    only_establishment = _hidden(
        masked_etablissement(_record(register, natural=True, etablissement="P", unite="O"))
    )
    assert only_establishment >= {*_STREET, "enseigne1Etablissement"}
    assert not only_establishment & set(_NAMES)


def test_nothing_is_hidden_when_all_may_be_shown(register: GeneratedRegister) -> None:
    record = _record(register, natural=True, etablissement="O", unite="O")
    assert masked_etablissement(record) == record


def test_what_is_served_is_the_masked_form_of_the_unmasked_record(
    register: GeneratedRegister,
) -> None:
    partial = 0
    for position in range(0, register.size("siret"), 3):
        unmasked = register.unmasked(register.identifier("siret", position))
        assert unmasked is not None
        served = register.record("siret", position)
        assert served == masked_etablissement(unmasked)
        assert MASK not in str(unmasked)
        partial += served != unmasked
    assert partial > 100


def test_units_of_partial_natural_persons_lose_their_names_in_every_period(
    register: GeneratedRegister,
) -> None:
    seen = 0
    for number in range(register.size("siren")):
        record: Any = register.record("siren", number)
        natural = record["periodesUniteLegale"][0]["categorieJuridiqueUniteLegale"] == "1000"
        hidden = record["statutDiffusionUniteLegale"] == "P" and natural
        assert (record["sexeUniteLegale"] == MASK) == hidden
        for period in record["periodesUniteLegale"]:
            assert (period["nomUniteLegale"] == MASK) == hidden
        seen += hidden
    assert seen > 50
    assert masked_unite({"statutDiffusionUniteLegale": "O", "periodesUniteLegale": []}) == {
        "statutDiffusionUniteLegale": "O",
        "periodesUniteLegale": [],
    }


def test_the_commune_is_never_hidden() -> None:
    for forme in ("1000", "5499"):
        for field in _PLACE:
            assert not is_hidden(field, etablissement="P", unite="P", forme=forme)
