from shared.progress import Rate


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
