"""A text may tell what its activity comprises, in the clause of its own activity only."""

from collections.abc import Callable

import pytest

from services.reviewer.french.clauses import clause, clauses
from services.reviewer.french.labels import readable_activite
from services.reviewer.validation import validate
from services.reviewer.validation.checked_text import CheckedText
from shared.sirene.facts import Facts
from shared.sirene.reference import libelle_activite

FactsLike = Callable[..., Facts]
_HEATER = "Travaux d'installation d'équipements thermiques et de climatisation"
_PLUMBER = "Travaux d'installation d'eau et de gaz en tous locaux"
_TEXT = (
    "GARAGE DU PORT est situé à Vannes, dans le Morbihan. L’activité enregistrée,"
    " « Travaux d’installation d’équipements thermiques et de climatisation », {}. Il a été créé"
    " en 2011."
)


def _clause_of(label: str) -> str:
    found = clause(Facts(siret="", siren="", nom="X", activite=label))
    assert found is not None
    return found


@pytest.mark.parametrize("verb", ["désigne", "comprend", "recouvre"])
def test_a_text_with_its_own_clause_passes(verb: str, facts_like: FactsLike) -> None:
    text = _TEXT.format(f"{verb} {_clause_of(_HEATER)}")
    assert validate(text, facts_like(activite=_HEATER)).reasons == ()


def test_every_clause_passes_beside_its_label(facts_like: FactsLike) -> None:
    refused = {}
    for code, words in clauses().items():
        label = libelle_activite(code, None)
        text = (
            f"GARAGE DU PORT est situé à Vannes. L’activité enregistrée, « {_shown(label)} »,"
            f" désigne {words}. L’établissement a été créé en 2011."
        )
        if reasons := validate(text, facts_like(activite=label)).reasons:
            refused[code] = reasons
    assert refused == {}


def _shown(label: str | None) -> str:
    assert label is not None
    return readable_activite(label)


def test_a_text_with_the_clause_of_another_activity_is_refused(facts_like: FactsLike) -> None:
    text = _TEXT.format(f"désigne {_clause_of(_PLUMBER)}")
    assert "ungrounded_terms" in validate(text, facts_like(activite=_HEATER)).reasons


@pytest.mark.parametrize(
    "sentence",
    [
        "Cette activité comprend {}.",
        "Cet intitulé désigne {}.",
        "Son activité principale est la vinification, c’est-à-dire {}.",
        "Il a pour activité principale la vinification, soit {}.",
        "Elle relève de la rubrique « Vinification », autrement dit : {}.",
        "« Vinification » désigne {}.",
    ],
)
def test_a_clause_stands_beside_its_label(sentence: str, facts_like: FactsLike) -> None:
    facts = facts_like(activite="Vinification")
    [read] = CheckedText.of(sentence.format(clause(facts)), facts).sentences
    assert read.understood
    assert not read.disagrees


def test_a_clause_alone_does_not_name_the_activity(facts_like: FactsLike) -> None:
    facts = facts_like(activite=_HEATER)
    text = f"GARAGE DU PORT est situé à Vannes. Cette activité comprend {clause(facts)}."
    assert not CheckedText.of(text, facts).masked.found & {"activite"}
