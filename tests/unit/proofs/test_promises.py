from dataclasses import replace
from typing import Any

import pytest

from tests.proofs.promises import MIB, EndState, eta_errors, judge
from tests.proofs.samples import Sample
from tests.unit.proofs.runs import ROWS, SECONDS, creeping, steady_run, usage, whole


@pytest.fixture
def facts() -> EndState:
    return whole()


def broken(samples: list[Sample], facts: EndState) -> set[str]:
    return {each.name for each in judge(samples, facts) if not each.kept}


def test_a_steady_and_complete_run_keeps_every_promise(facts: EndState) -> None:
    assert broken(steady_run(), facts) == set()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"stored": ROWS - 1}, "establishments stored"),
        ({"missing": 1}, "missing"),
        ({"surplus": 1}, "surplus"),
        ({"duplicates": 1}, "duplicates"),
        ({"counters_agree": False}, "counters equal real counts"),
        ({"slot_use": 0.96}, "slot use"),
    ],
)
def test_each_fault_of_the_end_state_breaks_its_promise(
    facts: EndState, change: dict[str, Any], name: str
) -> None:
    assert broken(steady_run(), replace(facts, **change)) == {name}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"http_429": 1}, "quota errors (429)"),
        ({"failed_items": 1}, "failed items"),
        ({"avis_due": SECONDS + 1}, "avis accepted, of those due"),
        ({"log_bytes": 200 * 10**6}, "log bytes"),
        ({"connections": 21}, "database connections"),
    ],
)
def test_each_fault_of_a_sample_breaks_its_promise(
    facts: EndState, change: dict[str, Any], name: str
) -> None:
    samples = steady_run()
    samples[-1] = replace(samples[-1], **change)
    assert broken(samples, facts) == {name}


def test_one_large_moment_breaks_the_bound_of_memory_but_is_no_growth(facts: EndState) -> None:
    samples = steady_run()
    samples[-1] = replace(samples[-1], processes={"fetcher-1": usage(151 * MIB)})
    assert broken(samples, facts) == {"RSS of fetcher-1"}


def test_memory_that_creeps_up_is_growth(facts: EndState) -> None:
    samples = creeping(steady_run(), "rss_bytes", per_second=MIB / 20)
    assert broken(samples, facts) == {"growth of fetcher-1"}


def test_services_that_are_too_large_together_break_a_promise(facts: EndState) -> None:
    sizes = {f"writer-{number}": usage(140 * MIB) for number in range(4)}
    samples = [replace(each, processes=sizes) for each in steady_run()]
    assert broken(samples, facts) == {"RSS of all services"}


def test_an_eta_that_is_off_late_in_the_run_breaks_its_promise(facts: EndState) -> None:
    samples = steady_run()
    samples[SECONDS // 2] = replace(samples[SECONDS // 2], eta_seconds=300.0)
    assert broken(samples, facts) == {"ETA error from 10 % on"}


def test_an_eta_that_is_off_in_the_first_tenth_breaks_none(facts: EndState) -> None:
    samples = steady_run()
    samples[20] = replace(samples[20], eta_seconds=3000.0)
    assert broken(samples, facts) == set()


def test_a_short_run_says_nothing_of_growth_and_eta(facts: EndState) -> None:
    names = {each.name for each in judge(steady_run(seconds=100), facts)}
    assert not {name for name in names if name.startswith(("growth", "ETA"))}


def test_the_error_of_an_eta_is_a_share_of_the_whole_time() -> None:
    samples = steady_run()
    samples[199] = replace(samples[199], eta_seconds=350.0)
    errors = dict(eta_errors(samples))
    assert errors[100.0] == pytest.approx(0.0)
    assert errors[200.0] == pytest.approx(50 / 499)
