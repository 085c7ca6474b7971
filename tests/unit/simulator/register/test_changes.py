"""Facts changed while the server runs, as nightly treatments change them."""

from typing import Any

import pytest

from services.simulator.api.search import RecordSearch
from services.simulator.errors import BadChangeError
from services.simulator.generation.diffusion import MASK
from services.simulator.options import SimulatorOptions
from services.simulator.register.registers import GeneratedRegister


@pytest.fixture
def register() -> GeneratedRegister:
    return GeneratedRegister(SimulatorOptions(establishments=400, seed=5))


def test_a_person_who_becomes_partial_is_masked_in_the_unit_and_all_establishments(
    register: GeneratedRegister,
) -> None:
    sirens = [register.identifier("siret", p)[:9] for p in range(400)]
    position = next(
        p
        for p in range(399)
        if sirens[p] == sirens[p + 1]
        and register.row("siret", p, None).value("categorieJuridiqueUniteLegale") == "1000"
        and register.row("siret", p, None).value("statutDiffusionUniteLegale") == "O"
    )
    register.changes.set(sirens[position], {"statutDiffusionUniteLegale": "P"})
    for changed in (position, position + 1):
        record: Any = register.record("siret", changed)
        assert record["uniteLegale"]["nomUniteLegale"] == MASK
    unit: Any = register.record("siren", register.position_from("siren", sirens[position]))
    assert unit["periodesUniteLegale"][0]["nomUniteLegale"] == MASK


def test_a_change_shows_in_queries_that_were_asked_before(register: GeneratedRegister) -> None:
    search = RecordSearch(register)
    q = "codeCommuneEtablissement:33063"
    before = len(search.hits("siret", q, None))
    siret = register.identifier("siret", 200)
    register.changes.set(
        siret,
        {
            "codeCommuneEtablissement": "33063",
            "dateDernierTraitementEtablissement": "2026-08-06T01:02:03.004",
            "etatAdministratifEtablissement": "F",
        },
    )
    assert len(search.hits("siret", q, None)) == before + 1
    treated = "dateDernierTraitementEtablissement:[2026-08-06 TO *]"
    assert list(search.hits("siret", treated, None)) == [200]
    record: Any = register.record("siret", 200)
    assert record["periodesEtablissement"][0]["etatAdministratifEtablissement"] == "F"


def test_a_variable_that_records_do_not_have_is_refused(register: GeneratedRegister) -> None:
    with pytest.raises(BadChangeError, match="couleur"):
        register.changes.set("000000000", {"couleur": "bleu"})
