"""The check of the facts that a model says its sentences use against those that they tell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.reviewer.validation.literals import tells_unit_band
from services.reviewer.validation.sentences.reader import Readings, Sentence
from services.reviewer.validation.sentences.told import names_told
from shared.sirene.facts import Facts

FACTS_MISNAMED = "facts_misnamed"
"""The code of a text that tells a fact without its name, or names one that it does not tell."""

# « Elle » stands for the name, « le siège » for the establishment.
_MAY_BE_NAMED = frozenset({"nom"})
_MAY_BE_UNNAMED = frozenset({"nom", "siege"})
_PARTS = {
    "metier": frozenset({"activite", "commune"}),
    "rang": frozenset({"metier", "activite", "commune"}),
    "predecesseur": frozenset({"commune", "voie"}),
}
"""The facts that a sentence on another one cannot but tell."""


@dataclass(frozen=True, slots=True)
class DeclaredSentence:
    """A sentence as a model wrote it, with the names of the facts that it says it uses."""

    text: str
    names: frozenset[str]


def facts_misnamed(
    declared: Sequence[DeclaredSentence], sentences: Sequence[Sentence], facts: Facts
) -> bool:
    """Return whether a name is wrong.

    `sentences` are those of the declared texts, which are normalised, with spaces between. Against
    what is not understood no name is held.
    """
    joined = " ".join(each.text for each in declared)
    start = len(joined.lstrip()) - len(joined)
    for each in declared:
        end = start + len(each.text)
        told = [one for one in sentences if start <= one.start < end]
        if told and all(one.understood for one in told):
            readings = [_named(one, facts) for part in told for one in _parts(part)]
            if _is_misnamed(readings, each.names):
                return True
        start = end + 1
    return False


def _parts(sentence: Sentence) -> Iterable[Readings]:
    return (sentence.readings, *sentence.asides)


def _named(readings: Readings, facts: Facts) -> list[frozenset[str]]:
    """Return the readings by the names of a prompt, which has one headcount where one is known."""
    found = [names_told(one) for one in readings]
    if tells_unit_band(facts):
        return found
    own = {"effectif_unite": "effectif"}
    return [frozenset(own.get(name, name) for name in one) for one in found]


def _is_misnamed(parts: Iterable[Sequence[frozenset[str]]], names: frozenset[str]) -> bool:
    """Return whether a part cannot be read to tell named facts only, or no part tells a name."""
    implied = frozenset().union(*(_PARTS.get(name, ()) for name in names))
    told = _MAY_BE_NAMED | implied
    for readings in parts:
        fitting = [one for one in readings if one - _MAY_BE_UNNAMED - implied <= names]
        if not fitting:
            return True
        told = told.union(*fitting)
    return not names <= told
