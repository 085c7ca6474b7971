"""A clause says what an activity comprises, in neutral words that follow from its label."""

import re

import pytest

from services.reviewer.french.clauses import clause, clauses
from services.reviewer.french.folding import fold, tokenise
from services.reviewer.french.labels import readable_activite
from services.reviewer.validation.law import RULES
from services.reviewer.validation.lexicon import lexicons
from shared.sirene.facts import Facts
from shared.sirene.names.lexicon import french
from shared.sirene.reference import libelles_de

_OWN = libelles_de("NAFRev2")
_LABELS = {**_OWN, **libelles_de("NAF2025")}
_LONGEST = 140
_RIGHTLY_PLAIN = {"faite", "renferme"}


def _of(label: str | None) -> str | None:
    return clause(Facts(siret="", siren="", nom="X", activite=label))


def test_two_hundred_activities_have_a_clause() -> None:
    assert len(clauses().keys() & _OWN.keys()) == 200


@pytest.mark.parametrize(("code", "words"), clauses().items())
def test_a_clause_is_found_by_the_label_of_its_code(code: str, words: str) -> None:
    assert _of(_LABELS[code]) == words


def test_no_label_has_two_clauses() -> None:
    by_label: dict[str, set[str]] = {}
    for code, words in clauses().items():
        by_label.setdefault(fold(readable_activite(_LABELS[code])), set()).add(words)
    assert not [label for label, found in by_label.items() if len(found) > 1]


def test_an_equal_label_of_naf_2025_has_the_clause() -> None:
    assert _OWN["68.20A"] == libelles_de("NAF2025")["68.20G"]
    assert _of(libelles_de("NAF2025")["68.20G"]) == "la mise à bail de logements"


def test_other_activities_have_none() -> None:
    assert _of("Fabrication de fromage") is None
    assert _of(None) is None


@pytest.mark.parametrize("words", sorted(set(clauses().values())))
def test_a_clause_is_a_short_noun_group_with_its_article(words: str) -> None:
    assert re.match(r"(?:le|la|les) \w|l’\w", words)
    assert words[-1].isalpha()
    assert len(words) <= _LONGEST
    assert not re.search(r"[\d'«»();:.!?]|  ", words)


@pytest.mark.parametrize(("code", "words"), clauses().items())
def test_a_clause_says_more_than_its_label(code: str, words: str) -> None:
    def telling(text: str) -> set[str]:
        return {one.folded for one in tokenise(text) if len(one.folded) > 3}

    assert telling(words) - telling(_LABELS[code])


# An activity may have a place, a size or an owner for its limit: « hors des services de l’État ».
_LIMITS = {"area_claim", "authority_claim", "comparison", "ownership_claim", "size_claim"}
_FORBIDDEN = sorted(RULES.keys() - _LIMITS)
# « remise en état », « prise de son », « sage-femme », and what a pharmacy sells.
_HARMLESS = {"remise", "prise", "femme", "medicaments"}


@pytest.mark.parametrize(("code", "words"), clauses().items())
def test_a_clause_judges_nothing(code: str, words: str) -> None:
    own = {one.folded for one in tokenise(_LABELS[code])} | _HARMLESS
    spoken = [one.folded for one in tokenise(words) if one.folded not in own]
    line = f" {' '.join(spoken)} "
    found = [rule for rule in _FORBIDDEN if lexicons()[rule].found(frozenset(spoken), line)]
    assert not found


@pytest.mark.parametrize("words", sorted(set(clauses().values())))
def test_a_clause_is_spelt_with_its_accents(words: str) -> None:
    plain = {word for word in re.findall(r"[^\W\d_]{4,}", words) if word.isascii()}
    assert {word for word in plain - _RIGHTLY_PLAIN if french(word) not in {None, word}} == set()
