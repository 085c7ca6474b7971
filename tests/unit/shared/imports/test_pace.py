import datetime as dt
from dataclasses import replace

from shared.imports.pace import Rate
from tests.unit.shared.terminal.test_progress_view import A_DAY_LATER, NOTHING_YET


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


def test_an_eta_does_not_jump_with_each_page() -> None:
    """Add 30 INSEE pages of 1 000 rows a minute, each written as two slices, read each second."""
    rate, rows, end = Rate(), 245_000, 490.0
    for second in range(1, 490):
        pages, into_page = divmod(second, 2)
        done = 1000 * pages + (500 if into_page else 0)
        rate.add(float(second), done)
        eta_seconds = rate.eta_seconds(rows - done)
        if second > 49:
            assert eta_seconds is not None
            assert abs(second + eta_seconds - end) < 0.02 * end


def test_an_eta_recovers_within_a_minute_after_a_pause() -> None:
    rate = Rate()
    done = 0
    for second in range(1, 400):
        if not 200 <= second < 260:
            done += 500
        rate.add(float(second), done)
        if second == 250:
            assert rate.per_second < 150
        if second > 320:
            assert rate.eta_seconds(100_000) == 200


def test_nothing_is_promised_while_nothing_moves() -> None:
    rate = Rate()
    assert rate.eta_seconds(1) is None
    rate.add(0, 5)
    rate.add(10, 5)
    assert rate.eta_seconds(1) is None
    assert rate.eta_seconds(0) == 0


def test_a_clock_that_is_set_back_does_no_harm() -> None:
    rate = Rate()
    for at_seconds, done in [(0.0, 0), (1.0, 500), (2.0, 1000), (2.0, 1200), (1.5, 1300)]:
        rate.add(at_seconds, done)
    assert rate.per_second == 500


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
