from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.proofs.avis.promises import (
    AvisOrder,
    Call,
    Ledger,
    goal_of,
    judge_avis,
    rate_of,
    steady_part,
)
from tests.proofs.promises import MIB
from tests.proofs.samples import Sample
from tests.unit.proofs.runs import steady_run, usage

ASKED = AvisOrder(texts=1000, generators=10, least_latency_seconds=2, most_latency_seconds=5)
LEDGER = Ledger(
    accepted=1000,
    by_template=0,
    twice=0,
    answers=1000,
    refused=0,
    tokens_in=10,
    tokens_out=10,
    cost_eur=Decimal("0.1"),
    owed_eur=Decimal("0.1"),
    spent_eur=Decimal("0.1"),
)


def calls(*, idle_seconds: float = 0.0, count: int = 1000) -> list[Call]:
    """Make ten callers that begin a second apart, and rest this long between calls of 3.5 s."""
    return [
        Call(begun, begun + 3.5)
        for number in range(count)
        for begun in [number % 10 + number // 10 * (3.5 + idle_seconds)]
    ]


def samples() -> list[Sample]:
    return [replace(each, processes={"reviewer-1": usage(180 * MIB)}) for each in steady_run()]


def broken(ledger: Ledger = LEDGER, idle_seconds: float = 0.0) -> set[str]:
    found = judge_avis(samples(), calls(idle_seconds=idle_seconds), ledger, ASKED)
    return {each.name for each in found if not each.kept}


def test_callers_that_never_rest_reach_the_ideal() -> None:
    part = steady_part(calls(), ASKED)
    assert part is not None
    assert rate_of(calls(), part) == pytest.approx(ASKED.ideal_per_second, rel=0.01)
    assert broken() == set()


def test_ramp_and_end_are_not_counted() -> None:
    part = steady_part(calls(), ASKED)
    assert part is not None
    begin, end = part
    # The tenth caller comes after nine seconds; nobody waits longer than five for an answer.
    assert begin == pytest.approx(9 + 5)
    assert sum(each.begun >= end for each in calls()) == 20


def test_callers_that_rest_between_two_calls_miss_the_goal() -> None:
    assert broken(idle_seconds=0.175) == {"answers a second, of generators / mean latency"}


def test_a_server_that_was_quicker_than_asked_proves_nothing() -> None:
    slower = replace(ASKED, least_latency_seconds=3)
    names = {each.name for each in judge_avis(samples(), calls(), LEDGER, slower) if not each.kept}
    assert names == {"mean latency of the server"}


def test_generators_that_were_never_all_at_work_miss_the_goal() -> None:
    few = replace(ASKED, generators=20)
    assert steady_part(calls(), few) is None
    names = {each.name for each in judge_avis(samples(), calls(), LEDGER, few) if not each.kept}
    assert names == {"answers a second, of generators / mean latency"}


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"accepted": 999}, {"texts accepted", "texts lost"}),
        ({"twice": 1}, {"texts paid for twice"}),
        ({"answers": 999}, {"answers of the server that are in the ledger"}),
        ({"by_template": 11}, {"texts left to the template"}),
        ({"cost_eur": Decimal("0.2")}, {"cost in the ledger, for its tokens"}),
        ({"spent_eur": Decimal("0.2")}, {"cost in the budget"}),
    ],
)
def test_each_fault_of_the_ledger_breaks_its_promise(
    change: dict[str, Any], names: set[str]
) -> None:
    assert broken(replace(LEDGER, **change)) == names


def test_more_generators_have_a_lower_goal() -> None:
    assert [goal_of(number) for number in (1, 10, 11, 50, 200, 400)] == [
        0.97, 0.97, 0.95, 0.95, 0.80, 0.80,
    ]  # fmt: skip
