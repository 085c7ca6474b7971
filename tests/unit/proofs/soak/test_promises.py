from dataclasses import replace
from typing import Any

import pytest

from tests.proofs.promises import MIB
from tests.proofs.samples import Sample
from tests.proofs.soak.promises import Meanwhile, judge_soak
from tests.unit.proofs.runs import SECONDS, creeping, steady_run, whole

MEANWHILE = Meanwhile(
    asked_seconds=SECONDS,
    deltas_ordered=3,
    deltas_complete=3,
    changes=200,
    changes_stored=200,
    most_log_bytes=1_000_000,
    log_bound_told="4 files",
)


def broken(samples: list[Sample], meanwhile: Meanwhile = MEANWHILE) -> set[str]:
    return {each.name for each in judge_soak(samples, whole(), meanwhile) if not each.kept}


def test_a_steady_run_keeps_every_promise() -> None:
    assert broken(steady_run()) == set()


@pytest.mark.parametrize(
    ("what", "per_second", "name"),
    [
        ("rss_bytes", MIB / 20, "growth of fetcher-1"),
        ("files", 0.02, "file descriptors of fetcher-1"),
        ("threads", 0.02, "threads of fetcher-1"),
        ("connections", 0.02, "connections of fetcher-1"),
    ],
)
def test_what_creeps_up_breaks_its_promise(what: str, per_second: float, name: str) -> None:
    assert broken(creeping(steady_run(), what, per_second=per_second)) == {name}


@pytest.mark.parametrize("what", ["files", "threads", "connections"])
def test_one_more_at_the_end_is_no_growth(what: str) -> None:
    assert broken(creeping(steady_run(), what, per_second=1 / SECONDS)) == set()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"asked_seconds": 2 * SECONDS}, "rows came for"),
        ({"deltas_complete": 2}, "deltas complete"),
        ({"deltas_ordered": 0, "deltas_complete": 0}, "deltas ordered"),
        ({"changes_stored": 199}, "changes that deltas brought"),
        ({"most_log_bytes": 1000}, "log files"),
    ],
)
def test_each_fault_of_what_went_on_beside_breaks_its_promise(
    change: dict[str, Any], name: str
) -> None:
    assert broken(steady_run(), replace(MEANWHILE, **change)) == {name}


def test_texts_that_stop_halfway_break_a_promise() -> None:
    samples = [
        replace(each, avis={"accepted": min(SECONDS // 2, int(each.at_seconds))}, avis_due=250)
        for each in steady_run()
    ]
    assert broken(samples) == {"texts in the poorest quarter"}


def test_a_short_run_is_not_judged_by_its_quarters() -> None:
    """Its last quarter may hold deltas alone, and the establishments they change need no text."""
    samples = [
        replace(
            each, at_seconds=each.at_seconds / 10, avis={"accepted": min(9, int(each.at_seconds))}
        )
        for each in steady_run()
    ]
    short = [replace(each, avis_due=9) for each in samples]
    assert broken(short, replace(MEANWHILE, asked_seconds=SECONDS / 10)) == set()


def test_rows_that_come_ever_slower_break_a_promise() -> None:
    samples = [
        replace(each, received=int(each.received * (1.5 - 0.5 * each.at_seconds / SECONDS)))
        for each in steady_run()
    ]
    assert broken(samples) == {"rows in the poorest quarter, of the mean"}


def test_what_follows_the_last_row_is_not_part_of_the_work() -> None:
    """Memory is given back when nothing is at work: it would hide what grew before."""
    samples = creeping(steady_run(), "files", per_second=0.02)
    idle = [replace(steady_run()[-1], at_seconds=float(SECONDS + at)) for at in range(1, SECONDS)]
    assert broken([*samples, *idle]) == {"file descriptors of fetcher-1"}
