from dataclasses import replace
from typing import Any

import pytest

from deploy.proving.promises import MIB, Facts, eta_errors, judge
from deploy.proving.sampling import Sample

ROWS = 10_000
SECONDS = 500


def steady_run(*, rows: int = ROWS, seconds: int = SECONDS) -> list[Sample]:
    """A sample a second of a run that brings the same number of rows in each."""
    return [
        Sample(
            at_seconds=float(at),
            expected=rows,
            received=rows * at // seconds,
            stored=rows * at // seconds,
            requests=at,
            http_429=0,
            failed_items=0,
            avis={"accepted": at},
            avis_due=at,
            database_bytes=at,
            connections=6,
            log_bytes=1000 * at,
            queues={},
            rss_bytes={"fetcher-1": 100 * MIB},
            cpu_seconds={"fetcher-1": float(at)},
            eta_seconds=float(seconds - at),
        )
        for at in range(1, seconds + 1)
    ]


@pytest.fixture
def facts() -> Facts:
    return Facts(
        promised_rows=ROWS,
        stored=ROWS,
        missing=0,
        surplus=0,
        duplicates=0,
        counters_agree=True,
        slot_use=0.98,
    )


def broken(samples: list[Sample], facts: Facts) -> set[str]:
    return {each.name for each in judge(samples, facts) if not each.kept}


def test_a_steady_and_complete_run_keeps_every_promise(facts: Facts) -> None:
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
    facts: Facts, change: dict[str, Any], name: str
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
    facts: Facts, change: dict[str, Any], name: str
) -> None:
    samples = steady_run()
    samples[-1] = replace(samples[-1], **change)
    assert broken(samples, facts) == {name}


def test_one_large_moment_breaks_the_bound_of_memory_but_is_no_growth(facts: Facts) -> None:
    samples = steady_run()
    samples[-1] = replace(samples[-1], rss_bytes={"fetcher-1": 151 * MIB})
    assert broken(samples, facts) == {"RSS of fetcher-1"}


def test_memory_that_creeps_up_is_growth(facts: Facts) -> None:
    samples = [
        replace(each, rss_bytes={"fetcher-1": (100 + number // 20) * MIB})
        for number, each in enumerate(steady_run())
    ]
    assert broken(samples, facts) == {"growth of fetcher-1"}


def test_services_that_are_too_large_together_break_a_promise(facts: Facts) -> None:
    sizes = {f"writer-{number}": 140 * MIB for number in range(4)}
    samples = [replace(each, rss_bytes=sizes) for each in steady_run()]
    assert broken(samples, facts) == {"RSS of all services"}


def test_an_eta_that_is_off_late_in_the_run_breaks_its_promise(facts: Facts) -> None:
    samples = steady_run()
    samples[SECONDS // 2] = replace(samples[SECONDS // 2], eta_seconds=300.0)
    assert broken(samples, facts) == {"ETA error from 10 % on"}


def test_an_eta_that_is_off_in_the_first_tenth_breaks_none(facts: Facts) -> None:
    samples = steady_run()
    samples[20] = replace(samples[20], eta_seconds=3000.0)
    assert broken(samples, facts) == set()


def test_a_short_run_says_nothing_of_growth_and_eta(facts: Facts) -> None:
    names = {each.name for each in judge(steady_run(seconds=100), facts)}
    assert not {name for name in names if name.startswith(("growth", "ETA"))}


def test_the_error_of_an_eta_is_a_share_of_the_whole_time() -> None:
    samples = steady_run()
    samples[199] = replace(samples[199], eta_seconds=350.0)
    errors = dict(eta_errors(samples))
    assert errors[100.0] == pytest.approx(0.0)
    assert errors[200.0] == pytest.approx(50 / 499)
