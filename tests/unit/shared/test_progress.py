import datetime as dt
from dataclasses import replace

from shared.progress import Rate
from tests.unit.shared.test_progress_view import A_DAY_LATER, NOTHING_YET


def test_a_steady_rate_tells_the_time_that_is_left() -> None:
    rate = Rate()
    for second in range(120):
        rate.add(float(second), 500 * second)
    assert rate.per_second == 500
    assert rate.eta_seconds(5000) == 10


def test_a_rate_forgets_what_was_before_the_last_minute() -> None:
    rate = Rate()
    for second in range(200):
        rate.add(float(second), 0 if second < 100 else (second - 100) * 10)
    assert rate.per_second == 10


def test_nothing_is_promised_while_nothing_moves() -> None:
    rate = Rate()
    assert rate.eta_seconds(1) is None
    rate.add(0, 5)
    rate.add(10, 5)
    assert rate.eta_seconds(1) is None
    assert rate.eta_seconds(0) == 0


def test_slot_use_counts_the_time_between_the_slots() -> None:
    start = dt.datetime(2026, 8, 5, tzinfo=dt.UTC)
    reading = replace(
        NOTHING_YET,
        requests=31,
        quota_per_minute=30,
        first_slot_at=start,
        last_slot_at=start + dt.timedelta(seconds=60),
    )
    assert reading.slot_use == 1
    assert NOTHING_YET.slot_use is None


def test_page_fill_is_what_the_requests_brought_of_what_they_could() -> None:
    assert replace(A_DAY_LATER, requests=10, received=7860).page_fill == 0.786
    assert NOTHING_YET.page_fill is None
