import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sirene.facts import facts_hash
from shared.sirene.mapping.mapper import map_record
from shared.sirene.pages import avis_outcome, facts_of, page_of
from shared.sirene.records import Etablissement, UniteLegale

ETABLISSEMENT = Etablissement(
    siret="55203253400646",
    siren="552032534",
    nic="00646",
    statut_diffusion="O",
    etat_administratif="A",
    activite_principale="10.71C",
    nomenclature_activite_principale="NAFRev2",
    code_commune="72181",
    libelle_commune="LE MANS",
    departement="72",
    tranche_effectifs="02",
)
UNITE = UniteLegale(
    siren="552032534",
    statut_diffusion="O",
    categorie_juridique="5499",
    denomination="L'ŒUF DU MANS",
)


def test_a_page_carries_the_labels_of_its_codes() -> None:
    page = page_of(ETABLISSEMENT, UNITE)
    assert page is not None
    assert page.libelle_commune == "Le Mans"
    assert page.libelle_activite == "Boulangerie et boulangerie-pâtisserie"
    assert page.slug == "l-oeuf-du-mans-le-mans-55203253400646"
    assert page.status == "open"


@pytest.mark.parametrize(
    "change",
    [
        {"activite_principale": None},
        {"activite_principale": "00.00Z"},
        {"code_commune": None},
    ],
)
def test_without_activity_or_commune_there_is_no_page(change: dict[str, Any]) -> None:
    assert page_of(replace(ETABLISSEMENT, **change), UNITE) is None


def test_the_siren_of_zeros_has_no_page() -> None:
    nobody = replace(ETABLISSEMENT, siret="00000000000018", siren="000000000")
    assert page_of(nobody, replace(UNITE, siren="000000000")) is None


@pytest.mark.parametrize("etat", ["F", None])
def test_only_an_active_establishment_has_an_open_page(etat: str | None) -> None:
    page = page_of(replace(ETABLISSEMENT, etat_administratif=etat), UNITE)
    assert page is not None
    assert page.status == "closed"


@pytest.mark.parametrize(
    ("etablissement", "unite"),
    [
        (replace(ETABLISSEMENT, statut_diffusion="P"), UNITE),
        (ETABLISSEMENT, replace(UNITE, statut_diffusion="P")),
    ],
)
def test_nothing_of_a_hidden_name_is_in_the_page(
    etablissement: Etablissement, unite: UniteLegale
) -> None:
    page = page_of(replace(etablissement, enseigne1="CHEZ JEANNE"), unite)
    assert page is not None
    assert page.nom is None
    assert page.slug == "etablissement-le-mans-55203253400646"


@pytest.mark.parametrize(
    ("etablissement", "unite", "nom"),
    [
        ({"enseigne1": "AU PAIN"}, {}, ("AU PAIN", "enseigne")),
        ({}, {}, ("L'ŒUF DU MANS", "denomination")),
        ({}, {"denomination": None}, (None, None)),
    ],
)
def test_a_page_holds_its_name_and_the_field_that_it_came_from(
    etablissement: dict[str, Any], unite: dict[str, Any], nom: tuple[str | None, str | None]
) -> None:
    page = page_of(replace(ETABLISSEMENT, **etablissement), replace(UNITE, **unite))
    assert page is not None
    assert (page.nom, page.nom_source) == nom


def test_an_unknown_commune_keeps_the_label_of_the_record() -> None:
    page = page_of(replace(ETABLISSEMENT, code_commune="72999"), UNITE)
    assert page is not None
    assert page.libelle_commune == "LE MANS"


@given(nom=st.text(min_size=1, max_size=300))
def test_a_slug_is_short_ascii_and_ends_with_the_siret(nom: str) -> None:
    page = page_of(ETABLISSEMENT, replace(UNITE, denomination=nom))
    assert page is not None
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*-55203253400646", page.slug)
    assert len(page.slug) <= 120


def test_facts_are_equal_whether_from_the_record_or_from_its_rows(
    record_with: Callable[..., dict[str, Any]],
) -> None:
    mapped = map_record(record_with())
    page = page_of(mapped.etablissement, mapped.unite)
    assert page is not None
    row = {name: getattr(mapped.etablissement, name) for name in Etablissement.__slots__}
    unite_row = {name: getattr(mapped.unite, name) for name in UniteLegale.__slots__}
    etablissement, unite = Etablissement.from_row(row), UniteLegale.from_row(unite_row)
    assert facts_hash(facts_of(etablissement, unite, page)) == facts_hash(
        facts_of(mapped.etablissement, mapped.unite, page)
    )


def test_facts_are_labels() -> None:
    page = page_of(ETABLISSEMENT, UNITE)
    assert page is not None
    facts = facts_of(ETABLISSEMENT, UNITE, page)
    assert (facts.forme, facts.effectif) == (
        "Société à responsabilité limitée (sans autre indication)",
        "3 à 5 salariés",
    )
    assert facts_of(replace(ETABLISSEMENT, tranche_effectifs="NN"), UNITE, page).effectif is None


@pytest.mark.parametrize(
    ("etablissement", "unite", "denomination"),
    [
        ({"enseigne1": "MAIRIE"}, {}, "L'ŒUF DU MANS"),
        ({"denomination_usuelle": "LES POULES"}, {}, "L'ŒUF DU MANS"),
        ({}, {}, None),
        ({"enseigne1": "L'Œuf  du Mans"}, {}, None),
        ({"enseigne1": "MAIRIE"}, {"denomination": None}, None),
        ({"enseigne1": "CHEZ ZOÉ"}, {"categorie_juridique": "1000"}, None),
    ],
)
def test_facts_hold_the_legal_name_where_another_is_over_the_door(
    etablissement: dict[str, Any], unite: dict[str, Any], denomination: str | None
) -> None:
    place, unit = replace(ETABLISSEMENT, **etablissement), replace(UNITE, **unite)
    page = page_of(place, unit)
    assert page is not None
    assert facts_of(place, unit, page).denomination == denomination


def test_an_activity_that_no_table_knows_gets_a_page_and_no_text() -> None:
    unknown = replace(ETABLISSEMENT, activite_principale="99.99X")
    page = page_of(unknown, UNITE)
    assert page is not None
    assert (page.status, page.libelle_activite) == ("open", None)
    assert avis_outcome(unknown, UNITE, "open", sole_traders=False, opposed=False) == (
        "not_understood"
    )


@pytest.mark.parametrize(
    ("statuts", "page_status", "categorie", "sole_traders", "opposed", "outcome"),
    [
        ("OO", "open", "5499", False, False, "pending"),
        ("PO", "open", "5499", True, False, "skipped_non_diffusible"),
        ("OP", "open", "5499", True, True, "skipped_non_diffusible"),
        ("OO", "open", "5499", True, True, "skipped_opposition"),
        ("OO", "closed", "5499", True, True, "skipped_opposition"),
        ("OO", "closed", "5499", True, False, "cancelled"),
        ("OO", "open", "1000", False, False, "skipped_sole_trader"),
        ("OO", "open", "1000", True, False, "pending"),
    ],
)
def test_an_avis_is_due_only_where_nothing_speaks_against_it(
    statuts: str,
    page_status: Any,
    categorie: str,
    *,
    sole_traders: bool,
    opposed: bool,
    outcome: str,
) -> None:
    etablissement = replace(ETABLISSEMENT, statut_diffusion=statuts[0])
    unite = replace(UNITE, statut_diffusion=statuts[1], categorie_juridique=categorie)
    assert outcome == avis_outcome(
        etablissement, unite, page_status, sole_traders=sole_traders, opposed=opposed
    )
