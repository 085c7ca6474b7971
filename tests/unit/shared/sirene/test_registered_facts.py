"""The facts of place and unit follow from the stored columns."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from shared.sirene.facts import Facts, as_told, facts_hash
from shared.sirene.pages import facts_of, page_of, registered_facts
from tests.unit.shared.sirene.test_pages import ETABLISSEMENT, UNITE

_PLACE = replace(
    ETABLISSEMENT,
    numero_voie="12",
    indice_repetition="B",
    type_voie="RUE",
    libelle_voie="DES TILLEULS",
    code_postal="72000",
    region="52",
    annee_effectifs="2023",
)
_UNIT = replace(
    UNITE,
    date_creation=dt.date(1955, 1, 1),
    tranche_effectifs="21",
    annee_effectifs="2023",
    categorie_entreprise="PME",
    annee_categorie_entreprise="2023",
    economie_sociale_solidaire="O",
    societe_mission="N",
    caractere_employeur="O",
)


def _facts(place: dict[str, Any] | None = None, **unit: Any) -> Facts:
    etablissement, unite = replace(_PLACE, **(place or {})), replace(_UNIT, **unit)
    page = page_of(etablissement, unite)
    assert page is not None
    facts = facts_of(etablissement, unite, page)
    registered = registered_facts(etablissement, unite, page)
    assert facts_hash(registered) == facts_hash(facts)
    return facts


def test_place_and_unit_are_told() -> None:
    facts = _facts()
    assert (facts.voie, facts.code_postal, facts.region) == (
        "12 bis rue des Tilleuls",
        "72000",
        "52",
    )
    assert facts.annee_effectifs == facts.unite_annee_effectifs == 2023
    assert facts.unite_effectif == "50 à 99 salariés"
    assert facts.unite_date_creation == dt.date(1955, 1, 1)
    assert (facts.categorie_entreprise, facts.annee_categorie_entreprise) == ("PME", 2023)
    assert (facts.economie_sociale_solidaire, facts.societe_mission) == (True, False)
    assert facts.employeur is True


@pytest.mark.parametrize("categorie_juridique", ["1000", None])
def test_the_street_of_a_person_is_no_fact(categorie_juridique: str | None) -> None:
    facts = _facts(categorie_juridique=categorie_juridique)
    assert (facts.adresse, facts.voie) == (None, None)


def test_a_year_without_its_headcount_is_no_fact() -> None:
    facts = _facts({"tranche_effectifs": "NN"}, tranche_effectifs="NN")
    assert (facts.annee_effectifs, facts.unite_annee_effectifs) == (None, None)
    assert _facts({"annee_effectifs": "?"}).annee_effectifs is None


def test_the_category_of_a_pme_without_employees_is_no_fact() -> None:
    """INSEE dates it anew each year, and nearly every unit is one."""
    facts = _facts(tranche_effectifs="00")
    assert (facts.categorie_entreprise, facts.annee_categorie_entreprise) == (None, None)
    assert _facts(tranche_effectifs="00", categorie_entreprise="GE").categorie_entreprise == "GE"


def test_a_headcount_is_told_for_three_years() -> None:
    facts = _facts()
    assert as_told(facts, dt.date(2026, 12, 31)) == facts
    later = as_told(facts, dt.date(2027, 1, 1))
    assert (later.effectif, later.tranche_effectifs, later.annee_effectifs) == (None, None, None)
    assert (later.unite_effectif, later.unite_annee_effectifs) == (None, None)
    assert (later.categorie_entreprise, later.annee_categorie_entreprise) == (None, None)
    assert later.voie == facts.voie


def test_a_headcount_without_a_year_and_a_unit_of_tomorrow_are_not_told() -> None:
    facts = _facts({"annee_effectifs": None}, date_creation=dt.date(2026, 12, 1))
    told = as_told(facts, dt.date(2026, 11, 30))
    assert (told.effectif, told.unite_date_creation) == (None, None)
    assert as_told(facts, dt.date(2026, 12, 1)).unite_date_creation == dt.date(2026, 12, 1)
