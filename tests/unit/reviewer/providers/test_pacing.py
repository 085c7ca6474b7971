"""How the gate's size and buckets move, and when a provider is out of use: no clock, no thread."""

import pytest

from services.reviewer.providers.circuit_breaker import Circuit, State
from services.reviewer.providers.pacing import (
    Allowance,
    Bucket,
    Size,
    read_allowance,
    read_duration,
)


def grow(size: Size, successes: int, *, latency_seconds: float = 2.0) -> None:
    for _ in range(successes):
        size.succeeded(latency_seconds, full=True)


def test_until_the_first_429_each_success_lets_one_more_in() -> None:
    size = Size(most=200)
    assert size.value == 10
    grow(size, 500)
    assert size.value == 200


def test_a_429_shrinks_it_to_three_quarters_then_25_successes_add_one() -> None:
    size = Size(most=200)
    grow(size, 90)
    size.throttled()
    assert size.value == 75
    grow(size, 25)
    assert size.value == 76
    grow(size, 24)
    assert size.value == 76


def test_it_grows_little_above_the_size_that_was_too_much() -> None:
    size = Size(most=1000)
    grow(size, 90)
    size.throttled()
    grow(size, 25 * 35)
    assert size.value == 110
    grow(size, 25 * 12)
    assert 110 < size.value <= 121, "no 429 for long: the ceiling is tried"


def test_it_does_not_grow_while_calls_take_twice_as_long() -> None:
    size = Size(most=500)
    grow(size, 100, latency_seconds=1.0)
    before = size.value
    grow(size, 25, latency_seconds=2.5)
    grow(size, 100, latency_seconds=2.5)
    assert size.value <= before + 25
    stopped = size.value
    grow(size, 200, latency_seconds=2.5)
    assert size.value == stopped


def test_it_does_not_grow_where_nobody_waits() -> None:
    size = Size(most=200)
    for _ in range(500):
        size.succeeded(1.0, full=False)
    assert size.value == 10


def test_it_never_falls_below_one() -> None:
    size = Size(most=2)
    for _ in range(10):
        size.throttled()
    assert size.value == 1


def test_a_bucket_without_a_limit_lets_everything_through() -> None:
    bucket = Bucket()
    bucket.take(1e9, 0)
    assert bucket.wait_seconds(1e9, 0) == 0


def test_a_bucket_knows_what_was_sent_after_the_answer_was_written() -> None:
    bucket = Bucket()
    mark = bucket.take(1, 0)
    for _ in range(9):
        bucket.take(1, 0)
    bucket.learn(Allowance(600, 10, 59.0), sent_at=0, mark=mark, now=0)
    assert bucket.wait_seconds(1, 0) == 0
    bucket.take(1, 0)
    assert bucket.wait_seconds(1, 0) == pytest.approx(0.1)
    assert bucket.wait_seconds(1, 0.1) == pytest.approx(0, abs=1e-9)


def test_an_older_answer_does_not_overwrite_a_newer_one() -> None:
    bucket = Bucket()
    old, new = bucket.take(1, 0), bucket.take(1, 0)
    bucket.learn(Allowance(60, 0, 60), sent_at=0, mark=new, now=0)
    bucket.learn(Allowance(60, 60, 0), sent_at=0, mark=old, now=0)
    assert bucket.wait_seconds(1, 0) == pytest.approx(1)


def test_a_limit_of_a_day_refills_by_the_day() -> None:
    bucket = Bucket()
    mark = bucket.take(1, 0)
    bucket.learn(Allowance(14_400, 0, 86_400), sent_at=0, mark=mark, now=0)
    assert bucket.wait_seconds(1, 0) == pytest.approx(6)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("20ms", 0.02), ("1s", 1), ("6m0s", 360), ("1h2m", 3720), ("7.66s", 7.66), ("12", 12)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert read_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "1x", "-1s", "1s!"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert read_duration(text) is None


def test_headers_in_both_dialects_are_read() -> None:
    openai = {
        "x-ratelimit-limit-requests": "600",
        "x-ratelimit-remaining-requests": "599",
        "x-ratelimit-reset-requests": "100ms",
    }
    assert read_allowance(openai, "requests") == Allowance(600, 599, 0.1)
    mistral = {"x-ratelimit-limit-tokens-minute": "5", "x-ratelimit-remaining-tokens-minute": "4"}
    assert read_allowance(mistral, "tokens") == Allowance(5, 4, None)
    assert read_allowance(mistral, "requests") is None
    assert read_allowance({"x-ratelimit-limit-requests": "many"}, "requests") is None


def fail(circuit: Circuit, times: int, now: float = 0) -> None:
    for _ in range(times):
        circuit.failed(now, probe=False)


def test_half_of_the_calls_failing_opens_the_circuit_and_one_call_finds_out() -> None:
    circuit = Circuit()
    for _ in range(6):
        circuit.succeeded(probe=False)
    fail(circuit, 5)
    assert circuit.wait_seconds(0) == 0
    fail(circuit, 1)
    assert circuit.state is State.OPEN
    assert circuit.wait_seconds(0) == 5
    assert circuit.wait_seconds(5) == 0
    assert circuit.begin() is True
    assert circuit.wait_seconds(5) > 0, "only one finds out"
    circuit.succeeded(probe=True)
    assert circuit.wait_seconds(5) == 0
    assert circuit.begin() is False


def test_a_probe_that_fails_makes_the_next_one_wait_longer_up_to_a_minute() -> None:
    circuit = Circuit()
    fail(circuit, 10)
    waits = []
    now = 0.0
    for _ in range(6):
        now += circuit.wait_seconds(now)
        circuit.begin()
        circuit.failed(now, probe=True)
        waits.append(circuit.wait_seconds(now))
    assert waits == [10, 20, 40, 60, 60, 60]


def test_a_probe_that_was_not_made_leaves_the_next_one_its_turn() -> None:
    circuit = Circuit()
    fail(circuit, 10)
    circuit.begin()
    circuit.abandoned(7, probe=True)
    assert circuit.wait_seconds(7) == 0
    assert circuit.begin() is True


def test_a_refusal_puts_it_out_of_use_for_minutes() -> None:
    circuit = Circuit()
    circuit.refused(0)
    assert circuit.wait_seconds(0) == 300
