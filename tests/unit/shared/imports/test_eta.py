"""The ETA of simulated runs, read like a monitor, compared with the time that they took."""

import datetime as dt
import heapq
import itertools
import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import pytest

from shared.imports.eta import eta_of_rows
from shared.imports.pace import Rate
from tests.unit.shared.terminal.test_progress_view import NOTHING_YET

PAGE_ROWS = 1000
MOST_ERROR = 0.05
FROM_SHARE = 0.1
RECOVERED_SECONDS = 60.0


@dataclass(frozen=True)
class Run:
    """The instants at which half an INSEE page was written."""

    times: list[float]

    @property
    def rows(self) -> int:
        return len(self.times) * PAGE_ROWS // 2

    def done(self, at_seconds: float) -> int:
        return bisect_right(self.times, at_seconds) * PAGE_ROWS // 2


@dataclass(frozen=True)
class Look:
    at_seconds: float
    eta_seconds: float | None
    uncertainty_seconds: float | None


def run_of(pages: Iterable[float]) -> Run:
    """A page is written as two slices, one after the other."""
    return Run(sorted(each for page in pages for each in (page, page + 0.15)))


def on_the_quota(pages: int, seconds: float, *, latency: float = 0.3, seed: int = 1) -> Run:
    """One slot in `seconds`; each page takes a random time until it is written."""
    dice = random.Random(seed)
    return run_of(10 + n * seconds + dice.uniform(0.2, 0.2 + latency) for n in range(pages))


def with_jitter(pages: int, seconds: float, *, share: float, seed: int) -> Run:
    """Each page begins when the last one ends: delays add up."""
    dice = random.Random(seed)
    waits = (seconds * dice.uniform(1 - share, 1 + share) for _ in range(pages))
    return run_of(itertools.accumulate(waits, initial=10))


def by_walkers(pages: int, seconds: float, *, walkers: int, share: float, seed: int) -> Run:
    """Several walkers with random waits; together they bring one page in `seconds`."""
    dice = random.Random(seed)
    free = [10 + walker * seconds for walker in range(walkers)]
    written = []
    for _ in range(pages):
        written.append(heapq.heappop(free))
        heapq.heappush(free, written[-1] + walkers * seconds * dice.uniform(1 - share, 1 + share))
    return run_of(written)


def paused(run: Run, at_seconds: float, seconds: float) -> Run:
    return Run([time if time < at_seconds else time + seconds for time in run.times])


def scaled(run: Run, at_seconds: float, factor: float) -> Run:
    return Run(
        [
            time if time < at_seconds else at_seconds + (time - at_seconds) / factor
            for time in run.times
        ]
    )


def looked_at(run: Run, *, every_seconds: float) -> Iterator[Look]:
    rate, at_seconds = Rate(), 0.0
    while at_seconds < run.times[-1]:
        rate.add(at_seconds, run.done(at_seconds))
        left = run.rows - run.done(at_seconds)
        yield Look(at_seconds, rate.eta_seconds(left), rate.eta_uncertainty_seconds(left))
        at_seconds += every_seconds


def errors(
    run: Run, looks: Iterable[Look], *, since: float = 0.0, until: float = 1e9
) -> list[tuple[float, float]]:
    """Return the instants and the errors of the foretold end, as shares of the whole run."""
    begin, end = run.times[0], run.times[-1]
    judged = max(since, begin + FROM_SHARE * (end - begin))
    return [
        (look.at_seconds, abs(look.at_seconds + look.eta_seconds - end) / (end - begin))
        if look.eta_seconds is not None
        else (look.at_seconds, 1.0)
        for look in looks
        if judged <= look.at_seconds < until
    ]


def worst(found: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the largest error and its instant."""
    at_seconds, error = max(found, key=lambda each: each[1])
    return round(error, 3), at_seconds


STEADY = {
    "public quota, 8 minutes": on_the_quota(245, 2.0, latency=1.5),
    "500 a minute": on_the_quota(5000, 0.12, latency=0.5),
    "0.6 s with jitter": with_jitter(1000, 0.6, share=0.4, seed=2),
    "0.6 s with jitter, longer": with_jitter(4000, 0.6, share=0.4, seed=3),
    "four walkers": by_walkers(1000, 0.6, walkers=4, share=0.3, seed=4),
    "thirteen walkers": by_walkers(5000, 0.12, walkers=13, share=0.3, seed=5),
    "slow: a page in 20 s": on_the_quota(120, 20.0, latency=2),
}
# At a third of the pace a minute brings 30 pages, which say little if they vary much.
CHANGING = {
    "public quota, 8 minutes": on_the_quota(245, 2.0, latency=0.5),
    "500 a minute": STEADY["500 a minute"],
    "0.6 s with jitter": with_jitter(1000, 0.6, share=0.15, seed=6),
    "four walkers": by_walkers(1000, 0.6, walkers=4, share=0.15, seed=8),
    "thirteen walkers": by_walkers(5000, 0.12, walkers=13, share=0.15, seed=9),
}


@pytest.mark.parametrize("every_seconds", [1.0, 5.0])
@pytest.mark.parametrize("name", STEADY)
def test_the_end_of_a_steady_run_is_foretold_from_a_tenth_of_it_on(
    name: str, every_seconds: float
) -> None:
    run = STEADY[name]
    assert worst(errors(run, looked_at(run, every_seconds=every_seconds))) < (MOST_ERROR,)


def test_the_end_of_a_short_run_is_foretold_too() -> None:
    """A tenth of 70 seconds is seven readings and three pages."""
    run = on_the_quota(35, 2.0, latency=0.3)
    assert worst(errors(run, looked_at(run, every_seconds=1))) < (MOST_ERROR,)


def test_a_first_page_that_came_late_does_not_sway_the_end() -> None:
    """A real run did so whose services had just started."""
    run = on_the_quota(245, 2.0, latency=0.5)
    run = Run(sorted([time + 5 if time < 15 else time for time in run.times]))
    assert worst(errors(run, looked_at(run, every_seconds=1))) < (MOST_ERROR,)


@pytest.mark.parametrize("every_seconds", [1.0, 5.0])
@pytest.mark.parametrize("name", CHANGING)
def test_the_eta_is_right_again_a_minute_after_a_pause(name: str, every_seconds: float) -> None:
    """A 429 causes this: a minute without a page in the middle of a run."""
    steady = CHANGING[name]
    middle = steady.times[len(steady.times) * 2 // 5]
    run = paused(steady, middle, 60)
    looks = list(looked_at(run, every_seconds=every_seconds))
    since = middle + 60 + RECOVERED_SECONDS
    assert worst(errors(run, looks, since=since)) < (MOST_ERROR,)


@pytest.mark.parametrize("factor", [3.0, 1 / 3, 1.3, 0.75])
@pytest.mark.parametrize("every_seconds", [1.0, 5.0])
@pytest.mark.parametrize("name", CHANGING)
def test_the_eta_is_right_again_a_minute_after_the_pace_changed(
    name: str, every_seconds: float, factor: float
) -> None:
    steady = CHANGING[name]
    middle = steady.times[len(steady.times) // 3]
    run = scaled(steady, middle, factor)
    looks = list(looked_at(run, every_seconds=every_seconds))
    assert worst(errors(run, looks, since=middle + RECOVERED_SECONDS)) < (MOST_ERROR,)


@pytest.mark.parametrize("every_seconds", [1.0, 5.0])
@pytest.mark.parametrize("name", STEADY)
def test_the_truth_lies_within_the_uncertainty_most_of_the_time(
    name: str, every_seconds: float
) -> None:
    run = STEADY[name]
    end = run.times[-1]
    looks = [
        (abs(look.at_seconds + look.eta_seconds - end), look.uncertainty_seconds)
        for look in looked_at(run, every_seconds=every_seconds)
        if look.eta_seconds is not None
        and look.uncertainty_seconds is not None
        and look.at_seconds > run.times[0] + FROM_SHARE * (end - run.times[0])
    ]
    inside = sum(error <= uncertainty for error, uncertainty in looks) / len(looks)
    typical = sorted(uncertainty for _, uncertainty in looks)[len(looks) // 2]
    assert inside > 0.8, "it promises too much"
    # And it is worth saying: half of the time it is less than a twentieth of the run.
    assert typical < 0.05 * (end - run.times[0])


def test_the_uncertainty_of_what_does_not_move_is_unknown() -> None:
    rate = Rate()
    assert rate.eta_uncertainty_seconds(1) is None
    rate.add(0, 5)
    rate.add(10, 5)
    assert rate.eta_uncertainty_seconds(1) is None
    assert rate.eta_uncertainty_seconds(0) == 0


@pytest.mark.parametrize("day_seconds", [30.0, 600.0])
def test_the_end_of_a_daily_import_counts_the_days_that_it_rests(day_seconds: float) -> None:
    """Twenty days and a half of ten pages, one in 2 s, then nothing until the next day."""
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    times = [
        1.0 + day * day_seconds + 2.0 * page
        for day in range(21)
        for page in range(10 if day < 20 else 5)
    ]
    rate, off = Rate(), []
    for second in range(1, int(times[-1])):
        done, day = bisect_right(times, second), int(second // day_seconds)
        today = done - 10 * day
        day_ends_at = begin + dt.timedelta(seconds=(day + 1) * day_seconds)
        reading = replace(
            NOTHING_YET,
            at=begin + dt.timedelta(seconds=second),
            expected=len(times) * PAGE_ROWS,
            received=done * PAGE_ROWS,
            quota_per_minute=30,
            per_day=10 * PAGE_ROWS,
            rows_today=today * PAGE_ROWS,
            resting_until=day_ends_at if today == 10 else None,
            day_ends_at=day_ends_at,
            day_seconds=day_seconds,
        )
        if reading.resting_until:
            rate = Rate()
        rate.add(float(second), reading.received)
        eta = eta_of_rows(reading, rate)
        if second > FROM_SHARE * times[-1]:
            if eta is None:
                # On the morning of the last day, before its pace is known.
                assert second - 20 * day_seconds < 5
                continue
            off.append((float(second), abs(second + eta.seconds - times[-1]) / times[-1]))
    assert worst(off) < (MOST_ERROR,)
