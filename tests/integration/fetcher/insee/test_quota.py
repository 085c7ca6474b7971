"""All replicas share one quota, measured in the database and at the server."""

import functools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text

from services.fetcher.insee.answers import RateHeaders
from services.fetcher.insee.client import InseeClient
from services.fetcher.insee.quota import Quota
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.errors import SlowDown
from shared.metrics import Metrics
from tests.conditions import wait_until
from tests.integration.fetcher.conftest import API, Insee

REPLICAS = 3


@pytest.fixture
def replicas(database_url: str) -> Iterator[list[Quota]]:
    """Make the quotas of several processes, each with an engine of its own."""
    engines = [make_engine(database_url, application_name=f"replica-{n}") for n in range(REPLICAS)]
    yield [Quota(engine, "key", Clock(), Metrics()) for engine in engines]
    for engine in engines:
        engine.dispose()


def use(replicas: list[Quota], *, seconds: float, request: Callable[[], object]) -> None:
    """Let each replica send as fast as the quota allows, with two threads."""
    end_seconds = time.monotonic() + seconds

    def send(quota: Quota) -> None:
        while time.monotonic() < end_seconds:
            quota.take(patience_seconds=120)
            request()

    threads = [threading.Thread(target=send, args=(each,)) for each in replicas * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def value(engine: Engine, query: str, **parameters: object) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(query), parameters).scalar_one()


def adaptation_of(engine: Engine) -> float:
    return float(value(engine, "SELECT adaptation FROM quota"))


def limit_of(engine: Engine) -> float:
    return float(value(engine, "SELECT requests_per_minute FROM quota"))


def limits_of(engine: Engine) -> tuple[float, float | None]:
    with engine.connect() as connection:
        query = text("SELECT requests_per_minute, requests_per_hour FROM quota")
        per_minute, per_hour = connection.execute(query).one()
    return per_minute, per_hour


def end_pause(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE quota SET paused_until = NULL"))


_REQUESTS = "SELECT count(*) FROM insee_requests"


def test_no_two_slots_of_any_replica_are_closer_than_the_quota_allows(
    replicas: list[Quota], engine: Engine
) -> None:
    replicas[0].open(requests_per_minute=1200, requests_per_hour=None)
    use(replicas, seconds=3, request=lambda: None)
    shortest_seconds = value(
        engine,
        """
        SELECT extract(epoch FROM min(gap))::float FROM (
          SELECT granted_at - lag(granted_at) OVER (ORDER BY granted_at) AS gap
          FROM insee_requests) gaps
        """,
    )
    assert shortest_seconds >= 60 / 1200
    # A far slower sender would keep the quota too: at least half of it must be used.
    assert value(engine, _REQUESTS) > 30


def test_the_hourly_quota_holds_where_it_is_the_narrower_one(
    replicas: list[Quota], engine: Engine
) -> None:
    replicas[0].open(requests_per_minute=6000, requests_per_hour=36_000)
    use(replicas, seconds=2, request=lambda: None)
    assert value(engine, _REQUESTS) <= 2 * 10 + REPLICAS * 2 + 1


def test_a_smaller_limit_in_the_headers_wins(replicas: list[Quota], engine: Engine) -> None:
    replicas[0].open(requests_per_minute=100, requests_per_hour=None)
    replicas[1].follow(RateHeaders(limit_per_minute=30))
    assert limit_of(engine) == 30


def test_a_larger_limit_in_the_headers_does_not(replicas: list[Quota], engine: Engine) -> None:
    replicas[0].open(requests_per_minute=100, requests_per_hour=2000)
    replicas[1].follow(RateHeaders(limit_per_minute=500, limit_per_hour=30_000))
    assert limits_of(engine) == (100, 2000)
    replicas[1].follow(RateHeaders(limit_per_minute=30, limit_per_hour=1000))
    replicas[1].follow(RateHeaders())
    assert limits_of(engine) == (30, 1000)
    # INSEE gives back what it took.
    replicas[1].follow(RateHeaders(limit_per_minute=500, limit_per_hour=30_000))
    assert limits_of(engine) == (100, 2000)


def test_nothing_left_in_the_headers_holds_everybody_back(replicas: list[Quota]) -> None:
    replicas[0].open(requests_per_minute=6000, requests_per_hour=None)
    replicas[0].follow(RateHeaders(remaining=0, reset_epoch_seconds=time.time() + 30))
    with pytest.raises(SlowDown):
        replicas[1].take(patience_seconds=0.2)


def test_a_burst_of_429s_slows_everybody_once_and_the_rate_creeps_back(
    replicas: list[Quota], engine: Engine
) -> None:
    replicas[0].open(requests_per_minute=600, requests_per_hour=None)
    for replica in replicas:  # their requests were on the way together
        replica.give_way(30)
    assert adaptation_of(engine) == pytest.approx(0.75)
    end_pause(engine)
    first = replicas[0].take(patience_seconds=5)
    second = replicas[1].take(patience_seconds=5)
    assert (second.granted_at - first.granted_at).total_seconds() >= 60 / (600 * 0.75)
    for _ in range(25):
        replicas[2].follow(RateHeaders())
    assert adaptation_of(engine) == pytest.approx(1)
    replicas[2].follow(RateHeaders())
    assert adaptation_of(engine) == pytest.approx(1)


def test_the_rate_never_falls_below_a_tenth(replicas: list[Quota], engine: Engine) -> None:
    replicas[0].open(requests_per_minute=600, requests_per_hour=None)
    for _ in range(30):
        replicas[0].give_way(1)
        end_pause(engine)
    assert adaptation_of(engine) == pytest.approx(0.1)


def test_the_hour_in_the_headers_is_followed_as_well(replicas: list[Quota], engine: Engine) -> None:
    replicas[0].open(requests_per_minute=6000, requests_per_hour=None)
    replicas[0].follow(RateHeaders(limit_per_hour=2000))
    assert limits_of(engine) == (6000, 2000)
    replicas[1].follow(RateHeaders(hour_remaining=0, hour_reset_epoch_seconds=time.time() + 900))
    with pytest.raises(SlowDown):
        replicas[2].take(patience_seconds=0.2)


def test_a_slot_granted_before_a_pause_is_not_used_during_it(
    replicas: list[Quota], engine: Engine
) -> None:
    replicas[0].open(requests_per_minute=30, requests_per_hour=None)
    replicas[0].take(patience_seconds=1)
    outcomes: list[object] = []

    def wait_for_the_next() -> None:
        try:
            outcomes.append(replicas[1].take(patience_seconds=3))
        except SlowDown as error:
            outcomes.append(error)

    waiting = threading.Thread(target=wait_for_the_next)
    waiting.start()
    wait_until(lambda: value(engine, _REQUESTS) == 2, seconds=5)
    replicas[2].pause(60)
    waiting.join()
    assert isinstance(outcomes[0], SlowDown)


def test_a_moment_in_which_nobody_was_ready_is_made_good_and_a_longer_one_is_not(
    replicas: list[Quota], engine: Engine
) -> None:
    replicas[0].open(requests_per_minute=600, requests_per_hour=None)
    replicas[0].take(patience_seconds=1)
    time.sleep(1)  # nobody takes a slot
    first = replicas[0].take(patience_seconds=1)
    late_seconds = value(
        engine, "SELECT extract(epoch FROM clock_timestamp() - :at)::float", at=first.granted_at
    )
    # The slot lies a moment back, so that the next ones come sooner.
    assert 0.2 < late_seconds < 0.4


def test_a_slot_that_comes_too_late_to_be_used_is_the_next_ones(replicas: list[Quota]) -> None:
    replicas[0].open(requests_per_minute=30, requests_per_hour=None)
    first = replicas[0].take(patience_seconds=1)
    replicas[1]._clock.stopping.set()
    with pytest.raises(SlowDown):
        replicas[1].take(patience_seconds=5)
    second = replicas[2].take(patience_seconds=5)
    assert (second.granted_at - first.granted_at).total_seconds() < 2 * 60 / 30


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_the_server_never_sees_more_than_the_quota_in_any_minute(
    replicas: list[Quota], start_insee: Callable[..., Insee]
) -> None:
    insee = start_insee(requests_per_minute=100, establishments=50)
    replicas[0].open(requests_per_minute=100, requests_per_hour=None)
    client = InseeClient(insee.url + API, "key", timeout_seconds=5, pool_size=6)
    request = functools.partial(client.search_siret, "siren:*", nombre=1, curseur="*")
    use(replicas, seconds=130, request=request)
    seen = insee.quota()
    assert seen["http_429"] == 0, seen
    assert 97 <= seen["most_requests_in_60_seconds"] <= 100, seen


def test_a_replica_that_starts_does_not_forget_what_the_headers_said(
    replicas: list[Quota], engine: Engine
) -> None:
    replicas[0].open(requests_per_minute=100, requests_per_hour=None)
    replicas[0].follow(RateHeaders(limit_per_minute=30))

    replicas[1].open(requests_per_minute=100, requests_per_hour=None)
    assert limit_of(engine) == 30

    # A changed setting replaces the limit that INSEE named.
    replicas[2].open(requests_per_minute=50, requests_per_hour=None)
    assert limit_of(engine) == 50


@pytest.mark.parametrize("absurd", [0.0, 0.5, 10_001, 1e14])
def test_an_absurd_limit_in_the_headers_is_not_believed(
    absurd: float, replicas: list[Quota], engine: Engine
) -> None:
    replicas[0].open(requests_per_minute=100, requests_per_hour=None)
    replicas[0].follow(RateHeaders(limit_per_minute=absurd))
    assert limit_of(engine) == 100


@pytest.mark.parametrize("column", ["paused_until", "minute_arrival_at", "hour_arrival_at"])
def test_a_clock_that_was_years_ahead_does_not_stop_the_quota_for_years(
    column: str, replicas: list[Quota], engine: Engine
) -> None:
    replicas[0].open(requests_per_minute=6000, requests_per_hour=None)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE quota SET {column} = now() + interval '2 years'"))

    assert replicas[1].take(patience_seconds=2).fetch_id


def test_nothing_left_on_every_answer_holds_back_for_a_minute_at_most(
    replicas: list[Quota], engine: Engine
) -> None:
    replicas[0].open(requests_per_minute=6000, requests_per_hour=None)
    for reset_epoch_seconds in (None, time.time() - 10, time.time() + 86_400):
        replicas[0].follow(RateHeaders(remaining=0, reset_epoch_seconds=reset_epoch_seconds))
    paused_seconds = value(engine, "SELECT extract(epoch FROM paused_until - now()) FROM quota")
    assert 50 < paused_seconds <= 60
