import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from shared.search.words import (
    _INITIALS,
    _plain,
    edits_allowed,
    telling,
    variants,
    whole_name,
    words_of,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Boulangerie DUPONT", ["boulangerie", "dupont"]),
        ("L'Œil d’Épernay", ["l", "oeil", "d", "epernay"]),
        ("S.A.R.L. Dupond", ["sarl", "dupond"]),
        ("S A R L DUPOND", ["sarl", "dupond"]),
        ("GARAGE ST-ETIENNE", ["garage", "saint", "etienne"]),
        ("Ets. Müller & Cie", ["etablissements", "muller", "compagnie"]),
        ("", []),
        ("🥖 <!>", []),
        ("x" * 100, ["x" * 40]),
    ],
)
def test_a_name_becomes_plain_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@given(st.text(alphabet="ab. -'éŒS9\n", max_size=30))
def test_words_are_the_runs_of_letters_and_digits_after_initials_are_joined(text: str) -> None:
    plain = _plain(text)
    joined = _INITIALS.sub(lambda found: f" {found[0].replace('.', '').replace(' ', '')} ", plain)
    assert words_of(text) == re.findall("[a-z0-9]+", joined)


def test_legal_forms_and_stop_words_tell_nothing_where_something_is_left() -> None:
    assert telling(words_of("SARL Le Moulin")) == ["moulin"]
    assert telling(words_of("la SARL")) == ["sarl"]
    assert telling(words_of("Le La")) == ["le", "la"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Société en nom collectif Financière du Puits", ["financiere", "puits"]),
        ("DUPONT, société à responsabilité limitée", ["dupont"]),
        ("Société par actions simplifiée unipersonnelle Le Moulin", ["moulin"]),
        ("S.A.R.L. Société anonyme des eaux", ["eaux"]),
        # A name of nothing else keeps its words, and elsewhere they are words of names.
        ("Société civile immobilière", ["societe", "civile", "immobiliere"]),
        ("Agence immobilière du Port", ["agence", "immobiliere", "port"]),
    ],
)
def test_a_legal_form_in_full_tells_nothing(name: str, words: list[str]) -> None:
    assert telling(words_of(name)) == words


def test_names_of_the_same_telling_words_are_one_whole_name() -> None:
    assert whole_name(words_of("SARL Paris Shop")) == whole_name(words_of("paris shop"))
    assert whole_name(words_of("Paris Shop")) != whole_name(words_of("Shop Paris"))


@given(st.text("abcde", min_size=5, max_size=9), st.integers(0, 8), st.sampled_from("abcde"))
def test_words_with_one_edit_between_them_share_a_variant(word: str, at: int, letter: str) -> None:
    at = min(at, len(word) - 1)
    for other in (word[:at] + word[at + 1 :], word[:at] + letter + word[at:]):
        assert OSA.distance(word, other) <= 1
        assert set(variants(word)) & set(variants(other)) or len(other) < 4


@given(st.text())
def test_any_text_becomes_words_of_letters_and_digits(text: str) -> None:
    for word in words_of(text):
        assert word.isascii()
        assert word.isalnum()
        assert word == word.lower()
        assert all(-(2**31) <= each < 2**31 for each in variants(word))
        assert edits_allowed(word) in {0, 1, 2}
