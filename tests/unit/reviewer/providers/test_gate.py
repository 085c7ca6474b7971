"""The gate under threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.reviewer.providers.gate import End, Gate
from services.reviewer.providers.limits import CallLimit
from shared.clock import Clock
from shared.errors import SlowDown
from shared.metrics import Metrics


@pytest.fixture
def gate() -> Gate:
    return Gate("local", most=4, clock=Clock(), metrics=Metrics())


def soon(seconds: float = 10.0) -> float:
    return time.monotonic() + seconds


def test_never_more_are_inside_than_its_size(gate: Gate) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def call() -> None:
        nonlocal inside, most
        entry = gate.enter(1, latest=soon())
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.002)
        with lock:
            inside -= 1
        gate.leave(entry, End.ANSWERED, latency_seconds=0.002)

    with ThreadPoolExecutor(20) as threads:
        for future in [threads.submit(call) for _ in range(200)]:
            future.result()
    assert most == 4


def test_a_429_pauses_everybody_once_for_its_burst(gate: Gate) -> None:
    burst = [gate.enter(1, latest=soon()) for _ in range(4)]
    for entry in burst:
        gate.leave(entry, End.THROTTLED, retry_after_seconds=0.3)
    assert gate.size == 3, "one burst, one cut"
    start = time.monotonic()
    gate.leave(gate.enter(1, latest=soon()), End.ANSWERED)
    assert time.monotonic() - start >= 0.25


def test_who_cannot_be_let_in_before_the_pause_ends_is_told_at_once(gate: Gate) -> None:
    gate.leave(gate.enter(1, latest=soon()), End.THROTTLED, retry_after_seconds=60)
    start = time.monotonic()
    with pytest.raises(SlowDown) as late:
        gate.enter(1, latest=soon(5))
    assert late.value.reason == CallLimit.LATE
    assert late.value.retry_after_seconds == pytest.approx(60, abs=1)
    assert time.monotonic() - start < 1


def test_a_full_gate_is_waited_for_until_the_latest_moment(gate: Gate) -> None:
    for _ in range(4):
        gate.enter(1, latest=soon())
    with pytest.raises(SlowDown) as late:
        gate.enter(1, latest=soon(0.1))
    assert late.value.reason == CallLimit.LATE


def test_headers_slow_it_down_before_a_429_does(gate: Gate) -> None:
    told = {
        "x-ratelimit-limit-requests": "600",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1m0s",
    }
    gate.leave(gate.enter(1, latest=soon()), End.ANSWERED, headers=told)
    start = time.monotonic()
    for _ in range(3):
        gate.leave(gate.enter(1, latest=soon()), End.ANSWERED)
    assert 0.2 < time.monotonic() - start < 3


def test_a_provider_that_fails_is_asked_by_nobody(gate: Gate) -> None:
    for _ in range(10):
        gate.leave(gate.enter(1, latest=soon()), End.FAILED)
    with pytest.raises(SlowDown) as out_of_use:
        gate.enter(1, latest=soon())
    assert out_of_use.value.reason == CallLimit.OUT_OF_USE
    assert gate.wait_seconds() > 0


def test_a_process_that_stops_lets_nobody_in() -> None:
    clock = Clock()
    gate = Gate("local", most=1, clock=clock, metrics=Metrics())
    gate.enter(1, latest=soon())
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(gate.enter, 1, latest=soon())
        clock.stopping.set()
        with pytest.raises(SlowDown) as late:
            waiting.result(timeout=5)
        assert late.value.reason == CallLimit.LATE


class StillClock(Clock):
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        at = [0.0]
        super().__init__(monotonic_seconds=lambda: at[0])
        object.__setattr__(self, "at", at)

    at: list[float]


@pytest.mark.parametrize("named_seconds", [None, 0.25])
def test_a_server_that_only_answers_429_is_asked_ever_less_often(
    named_seconds: float | None,
) -> None:
    """Within an hour it is asked some seventy times, and not four times a second."""
    clock = StillClock()
    gate = Gate("local", most=4, clock=clock, metrics=Metrics())
    pauses = []
    while clock.at[0] < 3600:
        entry = gate.enter(1, latest=clock.at[0] + 10)
        clock.at[0] += 0.01
        gate.leave(entry, End.THROTTLED, retry_after_seconds=named_seconds)
        pauses.append(round(gate.paused_seconds(), 6))
        clock.at[0] += pauses[-1]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 60
    assert len(pauses) < 75
    gate.leave(gate.enter(1, latest=clock.at[0] + 10), End.ANSWERED)
    clock.at[0] += 0.01
    gate.leave(gate.enter(1, latest=clock.at[0] + 10), End.THROTTLED, retry_after_seconds=0.25)
    assert gate.paused_seconds() == pytest.approx(0.25), "an answer ends the series"


def test_a_reset_in_years_sends_nobody_away_for_years(gate: Gate) -> None:
    told = {
        "x-ratelimit-limit-requests": "100",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "99999999h",
    }
    gate.leave(gate.enter(1, latest=soon()), End.ANSWERED, headers=told)
    with pytest.raises(SlowDown) as late:
        gate.enter(1, latest=soon())
    assert late.value.retry_after_seconds <= 300
