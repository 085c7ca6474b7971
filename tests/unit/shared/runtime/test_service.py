"""A loop that fails: its log line and the wait for its next turn."""

import re

from dramatiq.brokers.stub import StubBroker
from structlog.testing import capture_logs

from shared.clock import Clock
from shared.metrics import Metrics
from shared.runtime.service import Loop, Running, Service, wait_after, warn_of
from shared.settings import ServiceSettings


def test_a_loop_that_fails_says_where_and_nothing_of_the_errors_text() -> None:
    clock = Clock()

    def fail() -> None:
        clock.stopping.set()
        raise ValueError("MME DUPONT")

    service = Service(name="writer", loops=(Loop("sweep", 0.01, fail),))
    running = Running([service], StubBroker(middleware=[]), clock, Metrics())
    with capture_logs() as events:
        running.start()
        running.stop()
    [event] = events
    assert (event["event"], event["loop"], event["error"]) == ("loop failed", "sweep", "ValueError")
    assert re.fullmatch(r"shared/runtime/service\.py:\d+", event["at"][0])
    assert re.fullmatch(r"tests/unit/shared/runtime/test_service\.py:\d+", event["at"][-1])
    assert "DUPONT" not in str(event)


def test_a_loop_that_fails_comes_round_less_often_but_soon_enough() -> None:
    waits = [wait_after(failures, 0.5) for failures in range(100)]
    assert waits[0] == 0.5
    assert waits == sorted(waits)
    assert waits[-1] == 15
    assert wait_after(3, 60) == 60


def test_a_start_names_the_servers_whose_passwords_may_be_read_on_the_way() -> None:
    settings = ServiceSettings(
        database_url="postgresql://u:hunter2@db.example/x",
        broker_url="amqp://u:hunter2@rabbitmq/x",
        clear_text_hosts="rabbitmq",
    )
    with capture_logs() as events:
        warn_of(settings.doubts)
    [event] = events
    assert event["log_level"] == "warning"
    assert event["doubt"].startswith("SIRENADE_DATABASE_URL: PostgreSQL (db.example)")
    assert "hunter2" not in str(event)
