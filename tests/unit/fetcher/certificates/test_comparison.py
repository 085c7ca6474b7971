from hypothesis import given
from hypothesis import strategies as st

from services.fetcher.certificates import comparison
from services.fetcher.certificates.comparison import Tally, WindowFinding, compare, verdict
from services.fetcher.plan.windows import Window

_SIRETS = st.sets(st.integers(0, 40).map("{:014d}".format))


@given(_SIRETS, _SIRETS)
def test_the_comparison_of_sorted_lists_is_the_difference_of_sets(
    listed: set[str], stored: set[str]
) -> None:
    found = list(compare(sorted(listed), sorted(stored)))
    assert {siret for side, siret in found if side == "missing"} == listed - stored
    assert {siret for side, siret in found if side == "surplus"} == stored - listed
    assert len(found) == len(listed ^ stored)
    assert [siret for _, siret in found] == sorted(listed ^ stored)


def test_a_tally_keeps_the_first_and_counts_the_rest() -> None:
    tally = Tally()
    limit = comparison.MOST_SIRETS_KEPT
    for number in range(limit + 2):
        tally.add(f"{number:014d}")
    assert (len(tally.kept), tally.more, tally.count) == (limit, 2, limit + 2)


def finding(
    *, expected: int = 3, counted: int = 3, gone: int = 0, walked: bool = True
) -> WindowFinding:
    return WindowFinding(Window(), expected, counted, gone, is_walked=walked)


def test_counts_that_agree_are_no_more_than_that() -> None:
    assert verdict([finding(walked=False), finding()]) == "counts_agree"
    assert verdict([finding(), finding()]) == "agree"


def test_one_siret_too_much_in_one_window_makes_the_whole_differ() -> None:
    differing = finding()
    differing.surplus.add("0" * 14)
    assert verdict([finding(walked=False), differing]) == "differ"
    assert differing.stored == 4


def test_what_is_gone_from_insee_does_not_make_counts_differ() -> None:
    assert finding(expected=3, counted=4, gone=1).counts_agree
    assert not finding(expected=3, counted=4, gone=0).counts_agree
