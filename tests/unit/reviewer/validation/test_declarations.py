"""A model's names of the facts that a sentence uses are checked against what the sentence tells."""

import dataclasses

import pytest

from services.reviewer.validation import validate
from services.reviewer.validation.sentences.declarations import FACTS_MISNAMED, DeclaredSentence
from shared.sirene.facts import Facts
from tests.unit.reviewer.conftest import FactsLike
from tests.unit.reviewer.validation.test_context import FACTS, VARIANTS


def _reasons(facts: Facts, *sentences: tuple[str, str]) -> tuple[str, ...]:
    declared = [DeclaredSentence(text, frozenset(names.split())) for text, names in sentences]
    return validate(" ".join(text for text, _ in sentences), facts, declared).reasons


def _is_misnamed(facts: Facts, *sentences: tuple[str, str]) -> bool:
    return FACTS_MISNAMED in _reasons(facts, *sentences)


_RIGHT = [
    ("Ormelune Conseil est une société par actions simplifiée.", "nom forme"),
    ("Ormelune Conseil se trouve à Rennes.", "commune"),
    ("Elle se trouve à Rennes.", "nom commune"),
    ("Le siège d’Ormelune Conseil se trouve à Rennes.", "nom commune"),
    ("Le siège d’Ormelune Conseil se trouve à Rennes.", "nom commune siege"),
    ("Son adresse est 12 rue des Tilleuls, 35000 Rennes.", "voie code_postal commune"),
    ("Fin 2023, l’établissement comptait entre 50 et 99 salariés.", "effectif"),
    ("La société a été créée en 1998.", "annee_unite"),
    ("Elle compte 3 établissements ouverts (novembre 2026).", "etablissements"),
    (
        "C’est l’un des 14 établissements de cette activité dans la commune (novembre 2026).",
        "metier activite commune",
    ),
    ("C’est l’un des 14 établissements enregistrés à Rennes pour cette activité.", "metier"),
    (
        "C’est le deuxième plus ancien des 14 établissements de cette activité à Rennes.",
        "rang",
    ),
    (
        "Parmi les 14 établissements de cette activité à Rennes, celui-ci est le deuxième.",
        "rang metier",
    ),
    ("L’établissement figure au répertoire Sirene.", ""),
]


@pytest.mark.parametrize(("text", "names"), _RIGHT)
def test_a_sentence_that_names_its_facts_is_right(text: str, names: str) -> None:
    assert not _is_misnamed(FACTS, (text, names))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ormelune Conseil est une société par actions simplifiée.", "nom"),
        ("Ormelune Conseil se trouve à Rennes.", "nom commune forme"),
        ("Ormelune Conseil se trouve à Rennes.", "nom commune siege"),
        ("Ormelune Conseil se trouve à Rennes.", "nom commune Commune"),
        ("Ormelune Conseil se trouve à Rennes.", "nom commune inconnu"),
        ("La société a été créée en 1998.", "annee"),
        ("Fin 2023, l’établissement comptait entre 50 et 99 salariés.", "effectif_unite"),
        ("Elle compte 3 établissements ouverts (novembre 2026).", ""),
        ("L’établissement figure au répertoire Sirene.", "siret"),
    ],
)
def test_a_fact_without_its_name_and_a_name_without_its_fact_are_wrong(
    text: str, names: str
) -> None:
    assert _is_misnamed(FACTS, (text, names))


def test_a_sentence_is_checked_where_it_stands() -> None:
    first = ("Ormelune Conseil se trouve à Rennes.", "nom commune")
    second = ("La société a été créée en 1998.", "annee_unite")
    assert not _is_misnamed(FACTS, first, second)
    assert not _is_misnamed(FACTS, ("\0", ""), first, ("\u200b", ""), second)
    assert _is_misnamed(FACTS, (first[0], second[1]), (second[0], first[1]))
    joined = (f"{first[0]} {second[0]}", f"{first[1]} {second[1]}")
    assert not _is_misnamed(FACTS, joined)
    assert _is_misnamed(FACTS, (joined[0], first[1]))


def test_of_a_sentence_that_is_not_understood_the_other_codes_speak() -> None:
    reasons = _reasons(FACTS, ("Ormelune Conseil recrute à Rennes des mécaniciens.", "siret"))
    assert FACTS_MISNAMED not in reasons
    assert "ungrounded_terms" in reasons


def test_a_text_without_names_has_nothing_to_check() -> None:
    assert FACTS_MISNAMED not in validate("Ormelune Conseil se trouve à Rennes.", FACTS).reasons


def test_the_one_headcount_that_is_known_has_one_name(facts_like: FactsLike) -> None:
    sentence = "La société emploie 1 ou 2 salariés."
    assert not _is_misnamed(facts_like(), (sentence, "effectif"))
    assert _is_misnamed(facts_like(), (sentence, ""))


def test_each_of_two_names_has_its_own() -> None:
    facts = VARIANTS["deux_noms"]
    sentence = "Ormelune est un établissement de Brumaire Invest."
    assert not _is_misnamed(facts, (sentence, "denomination"))
    assert _is_misnamed(facts, (sentence, "nom"))


def test_what_stands_in_an_aside_is_told_too(facts_like: FactsLike) -> None:
    facts = dataclasses.replace(facts_like(), unite_date_creation=None)
    sentence = "Son activité principale, à Vannes, est l’entretien de véhicules automobiles légers."
    assert not _is_misnamed(facts, (sentence, "activite commune"))
    assert _is_misnamed(facts, (sentence, "activite"))
    assert _is_misnamed(facts, (sentence, "activite commune region"))
