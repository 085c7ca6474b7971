"""The validator accepts the template's text for any facts."""

import datetime as dt
import random

import pytest
from hypothesis import given, settings

from services.reviewer.french.data import formes_juridiques
from shared.sirene.context import Context, Succession
from shared.sirene.facts import Facts
from tests.unit.reviewer.conftest import FactsLike
from tests.unit.reviewer.samples import (
    ARTICLES,
    HOSTILE_NAMES,
    TRANCHES,
    any_facts,
    assert_publishable,
)


@settings(max_examples=1000)
@given(any_facts())
def test_every_text_passes_the_validator(facts: Facts) -> None:
    assert_publishable(facts)


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(max_examples=20_000)
@given(any_facts())
def test_twenty_thousand_texts_pass_the_validator(facts: Facts) -> None:
    assert_publishable(facts)


def test_a_label_s_words_end_with_their_sentence_and_its_bracket_is_not_left_open(
    facts_like: FactsLike,
) -> None:
    activity = "Création et interprétation littéraires et artistiques (services marchands)"
    for number in range(20):
        assert_publishable(facts_like(activite=activity, siret=f"{number:014d}"))


def test_the_numbers_of_an_activity_do_not_cover_those_of_a_headcount(
    facts_like: FactsLike,
) -> None:
    activity = "Réparation et entretien de véhicules automobiles légers (moins de 3,5 tonnes)"
    for tranche in TRANCHES:
        assert_publishable(facts_like(activite=activity, tranche_effectifs=tranche))


@pytest.mark.parametrize("nom", HOSTILE_NAMES)
def test_a_hostile_name_stays_a_name(nom: str, facts_like: FactsLike) -> None:
    for number in range(30):
        facts = facts_like(nom=nom, siret=f"{number:014d}", enseigne=nom[::-1])
        assert_publishable(facts)


def test_every_legal_form_headcount_and_kind_of_commune_makes_a_text_that_passes(
    facts_like: FactsLike,
) -> None:
    chosen = random.Random(2)
    for index, code in enumerate(sorted(formes_juridiques())):
        facts = facts_like(
            categorie_juridique=code,
            siret=f"{chosen.randrange(10**14):014d}",
            tranche_effectifs=TRANCHES[index % len(TRANCHES)],
            commune=ARTICLES[index % len(ARTICLES)],
            code_commune=None,
            departement=None,
            est_siege=bool(index % 2),
        )
        assert_publishable(facts)


@pytest.mark.parametrize(
    "commune",
    ["Marseille 1er Arrondissement", "Paris 7e Arrondissement", "Le Mans", "Les Herbiers"],
)
def test_the_commune_that_was_left_is_understood(commune: str, facts_like: FactsLike) -> None:
    left = Succession(
        siret="98765432100013",
        day=dt.date(2000, 1, 1),
        same_unit=True,
        transfert_siege=False,
        continuite_economique=False,
        commune=commune,
    )
    for number in range(60):
        context = Context(predecessors=(left,))
        assert_publishable(facts_like(siret=f"{number:014d}", context=context))
