"""Growing delays, as tables."""

import pytest

from shared.backoff import doubling, linear, stepped


@pytest.mark.parametrize(
    ("first", "failures", "most", "delay"),
    [
        (0.5, 0, 15.0, 0.5),
        (0.5, 1, 15.0, 1.0),
        (0.5, 4, 15.0, 8.0),
        (0.5, 5, 15.0, 15.0),
        (0.5, 10_000, 15.0, 15.0),
        (60.0, 0, 15.0, 15.0),
        (1_000, 7, 300_000, 128_000),
    ],
)
def test_a_delay_doubles_up_to_its_most(
    first: float, failures: int, most: float, delay: float
) -> None:
    assert doubling(first, failures, most=most) == delay


def test_a_delay_without_a_most_grows_on_and_stays_finite() -> None:
    assert doubling(0.5, 3) == 4
    assert doubling(0.5, 10_000) == doubling(0.5, 32)


def test_a_linear_delay_grows_by_its_first_one() -> None:
    assert [linear(1.5, failures) for failures in range(3)] == [1.5, 3.0, 4.5]


def test_the_last_step_is_for_all_failures_that_follow() -> None:
    assert [stepped((60, 300), failures) for failures in (0, 1, 2, 99)] == [60, 300, 300, 300]
