"""Two versions of a text, word by word."""

from hypothesis import given
from hypothesis import strategies as st

from services.operator.editorial.differences import differences

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=12).map(" ".join)


def test_what_is_gone_stands_before_what_is_new() -> None:
    found = differences("Un atelier à Bordeaux, ouvert en 2009.", "Un garage à Bordeaux en 2009.")
    assert [tuple(run) for run in found] == [
        ("same", "Un"),
        ("gone", "atelier"),
        ("new", "garage"),
        ("same", "à"),
        ("gone", "Bordeaux, ouvert"),
        ("new", "Bordeaux"),
        ("same", "en 2009."),
    ]


@given(WORDS, WORDS)
def test_both_versions_can_be_read_in_the_runs(before: str, after: str) -> None:
    runs = differences(before, after)
    assert " ".join(run.words for run in runs if run.change != "new") == before
    assert " ".join(run.words for run in runs if run.change != "gone") == after


def test_texts_of_a_broken_server_are_not_compared() -> None:
    before, after = "a " * 5000, "b " * 5000
    assert [run.change for run in differences(before, after)] == ["gone", "new"]
