"""Queries made of stored pages, which answers are right, and how answers are scored."""

from collections import Counter
from dataclasses import replace

import pytest

from tests.benchmarks.portal.made_pairs import KINDS, Page, Pair, make_pairs
from tests.benchmarks.portal.names import telling, words
from tests.benchmarks.portal.scores import Score, Scores

PAGES = [
    Page(
        id=number,
        siret=f"{number:014}",
        names=(f"BOULANGERIE DE L'ORMELUNE {number}", f"FOURNIL GARANDEL {number}"),
        commune="Saint-Étienne",
        code_commune="42218",
        code_postal="42000",
    )
    for number in range(400)
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("L'ÉPICERIE D'À CÔTÉ", ["l", "epicerie", "d", "a", "cote"]),
        ("S.A.R.L. Cœur", ["sarl", "coeur"]),
        ("DUPONT-MORETTI & 3", ["dupont", "moretti", "3"]),
        ("🍕", []),
    ],
)
def test_words_have_no_accents_and_no_signs(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_small_words_and_forms_tell_nothing_unless_there_is_nothing_else() -> None:
    assert telling(["sarl", "le", "four"]) == ["four"]
    assert telling(["la", "sa"]) == ["la", "sa"]


def test_there_are_as_many_pairs_of_each_kind_as_wanted_and_always_the_same() -> None:
    pairs = make_pairs(PAGES, each=10, seed=3)
    assert Counter(pair.kind for pair in pairs) == dict.fromkeys(KINDS, 10)
    assert pairs == make_pairs(PAGES, each=10, seed=3)
    assert pairs != make_pairs(PAGES, each=10, seed=4)


def test_every_pair_accepts_the_page_that_it_means() -> None:
    pages = {page.siret: page for page in PAGES}
    for pair in make_pairs(PAGES, each=20, seed=5):
        assert pair.accepts(pages[pair.siret]), pair


def test_a_typing_error_leaves_another_word_with_the_same_first_letter() -> None:
    for pair in make_pairs(PAGES, each=20, seed=6):
        typed = words(pair.query)
        if pair.kind == "typo":
            assert set(telling(list(pair.name))) - set(typed)
        if pair.kind == "typo in the city":
            assert "saint etienne" not in " ".join(typed)
            assert any(word.startswith(("s", "e")) for word in typed)


def test_a_page_of_that_name_elsewhere_is_right_only_where_the_query_names_no_place() -> None:
    page = PAGES[0]
    elsewhere = replace(page, code_commune="33063")
    pair = Pair("exact", "", page.siret, page.name, page.code_commune)
    assert pair.accepts(page)
    assert not pair.accepts(elsewhere)
    assert replace(pair, code_commune=None).accepts(elsewhere)
    assert not pair.accepts(replace(page, names=("BOULANGERIE DE L'ORMELUNE",)))
    assert replace(pair, name=["ormelune"], part=True).accepts(page)


def test_the_rank_of_the_first_right_answer_counts() -> None:
    scores = Scores()
    assert scores.add("typo", [False, True, True]) == 1
    assert scores.add("typo", [True]) == 0
    assert scores.add("exact", [False] * 12) is None
    assert scores.by_kind["typo"] == Score((1, 0))
    assert scores.by_kind["typo"].recall_at_1 == 0.5
    assert scores.all.recall_at_10 == pytest.approx(2 / 3)
    assert scores.all.mean_reciprocal_rank == pytest.approx((0.5 + 1) / 3)
    assert Score((10,)).recall_at_10 == 0
