"""The size of the gate grows with successes and shrinks with a 429: no clock, no thread."""

from services.reviewer.providers.adaptive_size import Size


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
