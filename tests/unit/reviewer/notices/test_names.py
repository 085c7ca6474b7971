"""A text says what a name names: an establishment, a unit, a sign, with the right articles."""

import re

import pytest

from services.reviewer.notices.template import generate
from shared.sirene.facts import Facts
from tests.unit.reviewer.conftest import FactsLike
from tests.unit.reviewer.samples import YEAR, assert_publishable


def test_the_slots_of_a_name_are_not_filled(facts_like: FactsLike) -> None:
    nom = "{COMMUNE} {SIRET} x"
    assert nom in generate(facts_like(nom=nom), YEAR).text


def test_a_signboard_that_repeats_the_name_is_not_told(facts_like: FactsLike) -> None:
    own = [
        generate(facts_like(enseigne="Garage du Port"), YEAR, variant_seed=str(n)).text
        for n in range(20)
    ]
    assert not any("porte l’enseigne Garage" in text or "L’enseigne est" in text for text in own)
    other = generate(facts_like(enseigne="CHEZ ANA"), YEAR).text
    assert re.search("enseigne (?:est )?Chez Ana", other)


def _variants_of(facts: Facts) -> set[str]:
    """Return sixty variants, each accepted by the validator."""
    texts = set()
    for number in range(60):
        text = assert_publishable(facts, variant_seed=str(number))
        texts.add(text.replace("\u00a0", " "))
    return texts


@pytest.mark.parametrize(
    ("changes", "always", "never"),
    [
        (
            {"nom": "MAIRIE", "categorie_juridique": "7210"},
            "[Ll]a Mairie",
            "est une commune|commune (?:a|est)",
        ),
        (
            {"nom": "CHEZ ANA", "enseigne": "CHEZ ANA"},
            "Chez Ana",
            "est une société|siège de Chez|Chez Ana a ",
        ),
        (
            {"nom": "CHEZ ANA", "enseigne": "CHEZ ANA", "categorie_juridique": "1000"},
            "une entreprise individuelle",
            "est une entreprise",
        ),
        (
            {
                "nom": "MAIRIE",
                "enseigne": "MAIRIE",
                "denomination": "COMMUNE DE CLAMART",
                "categorie_juridique": "7210",
            },
            "[Ll]a commune de Clamart",
            "une commune",
        ),
        (
            {"nom": "CHEZ ANA", "denomination": "ANA INVEST", "categorie_juridique": "5710"},
            "[Ll]a SAS Ana Invest",
            "une société",
        ),
        (
            {"nom": "CHEZ ANA", "denomination": "A", "categorie_juridique": "5599"},
            "[Ll]a société A",
            "une société",
        ),
        (
            {"nom": "COMMUNE DE CLAMART", "categorie_juridique": "7210"},
            "[Ll]a commune de Clamart",
            "une commune|: commune",
        ),
        (
            {"nom": "SCI DU PORT", "enseigne": "SCI DU PORT", "categorie_juridique": "6540"},
            "[Ll]a SCI du Port",
            "société civile|l’enseigne",
        ),
        (
            {"nom": "PAUL MONNIER", "categorie_juridique": "1000"},
            "[Ll]’entreprise individuelle Paul Monnier",
            "une entreprise",
        ),
        (
            {"nom": "JUDO CLUB", "categorie_juridique": "9220"},
            "Judo Club",
            "Judo Club est inscrite",
        ),
        (
            {"nom": "ETABLISSEMENTS ANA", "categorie_juridique": "5499"},
            "Établissements Ana",
            "(?:que|de) Établissements",
        ),
        (
            {"nom": "LE BISTROT D'ANA", "categorie_juridique": "5710"},
            "Le Bistrot d['’]Ana",
            "(?:à|de) Le Bistrot",
        ),
    ],
)
@pytest.mark.parametrize("est_siege", [True, False])
def test_a_name_is_only_said_to_be_what_it_names(
    changes: dict[str, str], always: str, never: str, *, est_siege: bool, facts_like: FactsLike
) -> None:
    facts = facts_like(
        **changes, est_siege=est_siege, activite="Administration d'immeubles", commune="CLAMART"
    )
    for text in _variants_of(facts):
        assert re.search(always, text), text
        assert not re.search(never, text), text
        assert est_siege or "siège" not in text


def test_an_establishment_is_told_with_the_name_that_it_belongs_to(
    facts_like: FactsLike,
) -> None:
    facts = facts_like(
        nom="MAIRIE",
        enseigne="MAIRIE",
        denomination="COMMUNE DE CLAMART",
        categorie_juridique="7210",
        commune="CLAMART",
        code_commune="92023",
        departement="92",
        est_siege=False,
        voie=None,
        annee_categorie_entreprise=2024,
        categorie_entreprise="ETI",
    )
    opening = "Mairie, à Clamart (Hauts-de-Seine), est un établissement de la commune de Clamart."
    assert any(text.startswith(opening) for text in _variants_of(facts))
