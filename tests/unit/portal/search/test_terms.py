"""Terms are written as a tsquery, which no word can leave."""

import pytest

from services.portal.search.asked import AskedWord
from services.portal.search.conditions import lexemes_of
from services.portal.search.engine import Filters
from services.portal.search.terms import AllOf, AnyOf, Lexeme, NoneOf, Terms, tsquery

_DUPONT, _PAU = Lexeme("dupont", "A"), Lexeme("pau", "C")
WRITTEN: list[tuple[Terms, str]] = [
    (Lexeme("pau"), "'pau'"),
    (_DUPONT, "'dupont':A"),
    (Lexeme("dup", "A", is_prefix=True), "'dup':*A"),
    (Lexeme("dup", is_prefix=True), "'dup':*"),
    (NoneOf(Lexeme("o=0")), "!'o=0'"),
    (Lexeme("a' | 'b\\"), "'a'' | ''b\\\\'"),
    (AllOf([_DUPONT, AnyOf([_PAU, Lexeme("64000")])]), "'dupont':A & ('pau':C | '64000')"),
    (AnyOf([AllOf([_DUPONT, _PAU]), NoneOf(_PAU)]), "('dupont':A & 'pau':C) | !'pau':C"),
]


@pytest.mark.parametrize(("terms", "written"), WRITTEN)
def test_terms_are_written_as_a_tsquery(terms: Terms, written: str) -> None:
    assert tsquery(terms) == written


def test_a_word_that_no_entry_has_has_no_terms() -> None:
    assert not AskedWord("qwertz").wide_query()
    assert AskedWord("plombier", activites=("43.22A",)).wide_query()


def test_a_word_that_was_written_as_one_is_two_or_another() -> None:
    word = AskedWord("legarage", in_names=True, near={"le garage": (0.5, 3), "garage": (1.0, 9)})
    assert tsquery(word.wide_query()) == "('le':A & 'garage':A) | 'garage':A"


def test_filters_are_terms() -> None:
    filters = Filters(code_postal=["33000"], departement=["33", "2A"], etat="A", siege=True)
    written = [tsquery(each) for each in lexemes_of(filters)]
    assert written == ["'d=33' | 'd=2A'", "'33000':C", "!'o=0'", "'s=1'"]
