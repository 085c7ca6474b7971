"""A clause says what an activity comprises, in neutral words that follow from its label."""

import re

import pytest

from services.reviewer.french.clauses import clause, clauses
from services.reviewer.french.folding import fold, stem, tokenise
from services.reviewer.french.labels import readable_activite
from services.reviewer.validation.known import FUNCTION_WORDS, begins_like
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


@pytest.mark.parametrize(("code", "words"), clauses().items())
def test_a_clause_is_found_by_the_label_of_its_code(code: str, words: str) -> None:
    assert _of(_LABELS[code]) == words


def test_no_label_has_two_clauses() -> None:
    by_label: dict[str, set[str]] = {}
    for code, words in clauses().items():
        by_label.setdefault(fold(readable_activite(_LABELS[code])), set()).add(words)
    assert not [label for label, found in by_label.items() if len(found) > 1]


def test_an_equal_label_of_naf_2025_has_the_clause() -> None:
    assert _OWN["43.12B"] == libelles_de("NAF2025")["43.12H"]
    assert _of(libelles_de("NAF2025")["43.12H"]) == "le creusement et le déplacement de terre"


def test_other_activities_have_none() -> None:
    assert _of("Fabrication de fromage") is None
    assert _of(None) is None


@pytest.mark.parametrize("words", sorted(set(clauses().values())))
def test_a_clause_is_a_short_noun_group_with_its_article(words: str) -> None:
    assert re.match(r"(?:le|la|les) \w|l’\w", words)
    assert words[-1].isalpha()
    assert len(words) <= _LONGEST
    assert not re.search(r"[\d'«»();:.!?]|  ", words)


# Words that stand in any clause, and in place of any label's first noun.
_FRAME = """
    activite aucune autre construction culture designe diverses divers exercice fabrication mise
    nature objet operation pose prestation produit production propre rubrique service sorte travaux
    vente
"""


@pytest.mark.parametrize(("code", "words"), clauses().items())
def test_a_clause_has_a_word_of_its_own(code: str, words: str) -> None:
    assert _new(words, _LABELS[code])


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("Production d’électricité", "la production électrique"),
        ("Élevage d’autres animaux", "l’élevage d’animaux qu’aucune rubrique propre ne désigne"),
        ("Activités juridiques", "l’exercice d’activités juridiques"),
    ],
)
def test_a_label_told_again_has_none(label: str, words: str) -> None:
    assert not _new(words, label)


def _new(words: str, label: str) -> set[str]:
    """Return the words that mean something and that the label does not have, as noun or verb."""
    known = _roots(label)
    return {root for root in _roots(words) - _roots(_FRAME) - known if not begins_like(root, known)}


def _roots(text: str) -> set[str]:
    found = (one.folded for one in tokenise(text))
    return {stem(word) for word in found if len(word) > 3 and word not in FUNCTION_WORDS}


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
