from services.simulator.gateway.quota import ServerQuota, Witness


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_request_beyond_the_quota_of_any_60_seconds_is_refused() -> None:
    clock = Clock()
    quota = ServerQuota(3, None, monotonic=clock, wall=clock)
    answers = []
    for second in (0, 20, 40, 60, 81, 100):
        clock.now = 1000.0 + second
        answers.append(quota.take("k").allowed)
    assert answers == [True, True, True, False, True, False]


def test_refused_requests_count_so_that_hammering_never_ends() -> None:
    clock = Clock()
    quota = ServerQuota(2, None, monotonic=clock, wall=clock)
    allowed = []
    for _ in range(100):
        allowed.append(quota.take("k").allowed)
        clock.now += 10
    assert allowed == [True, True, *[False] * 98]


def test_each_key_has_its_own_quota() -> None:
    clock = Clock()
    quota = ServerQuota(1, None, monotonic=clock, wall=clock)
    assert [quota.take(key).allowed for key in "aabb"] == [True, False, True, False]


def test_the_hourly_quota_is_counted_when_there_is_one() -> None:
    clock = Clock()
    quota = ServerQuota(10, 3, monotonic=clock, wall=clock)
    allowed = []
    for _ in range(5):
        allowed.append(quota.take("k").allowed)
        clock.now += 60
    assert allowed == [True, True, True, False, False]


def test_the_gateway_tells_what_is_left_and_when_it_changes() -> None:
    clock = Clock()
    quota = ServerQuota(2, 100, monotonic=clock, wall=lambda: clock.now + 5000)
    first = quota.take("k")
    assert (first.minute_limit, first.minute_left, first.minute_reset) == (2, 1, 6060.0)
    clock.now += 15
    second = quota.take("k")
    assert (second.minute_left, second.minute_reset) == (0, 6060.0)
    assert (second.hour_limit, second.hour_left, second.hour_reset) == (100, 98, 9600.0)


def test_the_witness_knows_the_busiest_60_seconds_wherever_they_began() -> None:
    clock = Clock()
    witness = Witness(monotonic=clock)
    for second in (0, 50, 55, 100, 109, 110, 300):
        clock.now = 1000.0 + second
        witness.arrived()
        witness.answered(429 if second == 110 else 200)
    assert witness.report() == {
        "requests": 7,
        "http_429": 1,
        "most_requests_in_60_seconds": 5,
        "seconds_between_first_and_last": 300.0,
        "statuses": {"200": 6, "429": 1},
    }
