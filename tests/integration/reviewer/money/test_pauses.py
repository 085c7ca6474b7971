"""A pause that a provider asks of one replica holds for all replicas."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from services.operator.exporter.queries import CONTROL
from services.reviewer.money.pauses import Pauses
from services.reviewer.money.rate_limits import open_providers
from services.reviewer.providers.settings import Provider
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.imports.progress import read_progress
from tests.integration.reviewer.chat_reviews import FREE, provider
from tests.integration.reviewer.chat_server import Response, chat_server
from tests.integration.reviewer.chat_server import text as answer

_SCRIPT = Path(__file__).with_name("chat_callers.py")
_ROOT = Path(__file__).parents[4]
PAUSE_SECONDS = 3
# A call may have left already, and a replica without limits reads pauses a little later.
IN_FLIGHT_SECONDS = 0.6


@pytest.mark.parametrize("limits", [{}, {"requests_per_minute": 3000}])
def test_a_429_to_one_replica_holds_the_other_back_as_well(
    database_url: str, limits: dict[str, Any]
) -> None:
    """Two replicas ask all the time; one of them is told once to wait."""
    came: list[tuple[float, str]] = []
    told: list[float] = []
    lock = threading.Lock()

    def respond(body: dict[str, Any]) -> Response:
        with lock:
            now = time.monotonic()
            came.append((now, body["model"]))
            both = {model for _, model in came[-20:]} == {"m0", "m1"}
            if not told and both and body["model"] == "m0":
                told.append(now)
                return Response(status=429, headers={"Retry-After": str(PAUSE_SECONDS)})
        return Response(answer(), wait_seconds=0.05)

    with chat_server(respond) as server:
        asked = provider(server.base_url, price=FREE, **limits)
        order = {
            "database_url": database_url,
            "provider": asked.model_dump(mode="json"),
            "processes": 2,
            "threads": 3,
            "seconds": PAUSE_SECONDS + 2,
        }
        subprocess.run(
            [sys.executable, str(_SCRIPT), json.dumps(order)],
            cwd=_ROOT,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            check=True,
            timeout=60,
        )
    [at] = told
    pause = (at + IN_FLIGHT_SECONDS, at + PAUSE_SECONDS)
    assert [model for moment, model in came if pause[0] < moment < pause[1]] == []
    assert {model for moment, model in came if moment > pause[1]} == {"m0", "m1"}


@pytest.fixture
def known(engine: Engine) -> Provider:
    known = provider("http://localhost:1")
    open_providers(engine, [known])
    return known


def left_seconds(engine: Engine) -> float:
    """Read the pause as another replica does."""
    return Pauses(engine, ["local"], Clock()).left_seconds("local")


def test_a_pause_never_becomes_shorter(engine: Engine, known: Provider) -> None:
    Pauses(engine, [known.name], Clock()).start(known.name, 60)
    Pauses(engine, [known.name], Clock()).start(known.name, 5)
    assert 55 < left_seconds(engine) <= 60
    Pauses(engine, [known.name], Clock()).start(known.name, 90)
    assert 85 < left_seconds(engine) <= 90
    open_providers(engine, [known])
    assert left_seconds(engine) > 85, "a replica that starts meanwhile waits, too"


def test_a_pause_written_by_a_clock_ahead_of_now_is_none(engine: Engine, known: Provider) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE review_providers SET paused_until = now() + interval '1 year'")
        )
    assert left_seconds(engine) == 0
    Pauses(engine, [known.name], Clock()).start(known.name, 5)


def test_a_pause_that_finds_no_database_is_this_replicas_own(known: Provider) -> None:
    away = make_engine("postgresql://nobody@127.0.0.1:9/none", application_name="x")
    clock = Clock()
    pauses = Pauses(away, [known.name], clock)
    pauses.start(known.name, 60)
    assert pauses._until[known.name] > clock.monotonic_seconds() + 55


def throttled(engine: Engine) -> dict[str, float]:
    """Return the servers that answer nothing but 429, as `status` tells them."""
    with engine.connect() as connection:
        found = dict(read_progress(connection).throttled)
        assert connection.execute(CONTROL).scalar_one()[_METRIC] == found
    return found


_METRIC = "sirenade_provider_throttled_timestamp_seconds"


def test_a_series_of_429_is_told_after_minutes_until_any_replica_gets_an_answer(
    engine: Engine, known: Provider
) -> None:
    replicas = [Pauses(engine, [known.name], Clock()) for _ in range(2)]
    replicas[0].start(known.name, 0.3)
    assert throttled(engine) == {}
    with engine.begin() as connection:
        since = connection.execute(
            text(
                "UPDATE review_providers SET throttled_since = now() - interval '6 minutes'"
                " RETURNING extract(epoch FROM throttled_since)::float"
            )
        ).scalar_one()
    replicas[1].start(known.name, 60)
    assert throttled(engine) == {known.name: pytest.approx(since)}
    replicas[0].left_seconds(known.name)
    replicas[0].end(known.name)
    assert throttled(engine) == {}


def test_429s_of_another_day_are_another_series(engine: Engine, known: Provider) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE review_providers SET throttled_since = now() - interval '2 days',"
                " paused_until = now() - interval '1 day'"
            )
        )
    assert throttled(engine) == {}
    Pauses(engine, [known.name], Clock()).start(known.name, 60)
    assert throttled(engine) == {}
