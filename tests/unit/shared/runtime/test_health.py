import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker
from prometheus_client import generate_latest, start_http_server

from deploy.local.processes import free_port
from shared.clock import Clock
from shared.metrics import Metrics
from shared.runtime.health import faults
from shared.runtime.service import Loop, Running, Service

ROOT = Path(__file__).parents[4]


@pytest.fixture
def metrics() -> Metrics:
    metrics = Metrics()
    metrics.loop_last_turn.labels(loop="archive").set(1000)
    metrics.consumer_connected.labels(queue="q").set(1)
    return metrics


def _faults(metrics: Metrics, now_seconds: float) -> list[str]:
    text = generate_latest(metrics.registry).decode()
    return list(faults(text, now_seconds=now_seconds, patience_seconds=300))


def test_a_process_whose_loops_turn_and_whose_queue_is_connected_is_healthy(
    metrics: Metrics,
) -> None:
    assert _faults(metrics, now_seconds=1300) == []


def test_a_loop_that_has_not_turned_for_long_is_named(metrics: Metrics) -> None:
    [fault] = _faults(metrics, now_seconds=1301)
    assert "301 s" in fault
    assert 'loop="archive"' in fault


def test_a_loop_that_never_turned_is_named(metrics: Metrics) -> None:
    metrics.loop_last_turn.labels(loop="other")
    [fault] = _faults(metrics, now_seconds=1300)
    assert 'loop="other"' in fault


def test_a_loop_of_one_turn_an_hour_may_take_its_time(metrics: Metrics) -> None:
    metrics.loop_interval.labels(loop="archive").set(3600)
    assert _faults(metrics, now_seconds=1000 + 7200) == []
    [fault] = _faults(metrics, now_seconds=1000 + 7201)
    assert 'loop="archive"' in fault


def test_a_message_that_is_worked_on_for_longer_than_any_may_is_named(metrics: Metrics) -> None:
    metrics.loop_last_turn.labels(loop="archive").set(9000)
    oldest = metrics.message_oldest_start.labels(actor="write")
    assert _faults(metrics, now_seconds=9000) == [], "none is in progress"
    oldest.set(6600)
    assert _faults(metrics, now_seconds=9000) == []
    [fault] = _faults(metrics, now_seconds=9001)
    assert fault == 'a message has been worked on for 2401 s: actor="write"'


def test_a_lost_connection_to_the_queue_is_named(metrics: Metrics) -> None:
    metrics.consumer_connected.labels(queue="q").set(0)
    [fault] = _faults(metrics, now_seconds=1300)
    assert fault.startswith("not connected to the queue")


def test_a_running_service_tells_of_its_loops_and_of_its_queue() -> None:
    metrics, clock, broker = Metrics(), Clock(), StubBroker(middleware=[])
    dramatiq.actor(broker=broker, actor_name="work", queue_name="q")(lambda: None)

    def fail() -> None:
        raise OSError

    service = Service(
        name="writer",
        queue="q",
        worker_threads=1,
        loops=(Loop("good", 0.01, lambda: None), Loop("bad", 0.01, fail)),
    )
    running = Running([service], broker, clock, metrics)

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, labels)

    assert value("sirenade_consumer_connected", queue="q") == 0
    running.start()
    try:
        _wait(lambda: value("sirenade_consumer_connected", queue="q") == 1)
        _wait(
            lambda: bool(value("sirenade_loop_last_turn_timestamp_seconds", loop="good")),
        )
        _wait(lambda: bool(value("sirenade_loop_failures_total", loop="bad")))
        assert value("sirenade_loop_last_turn_timestamp_seconds", loop="bad") == 0
    finally:
        running.stop()


def _wait(condition: Callable[[], bool]) -> None:
    clock = Clock()
    for _ in range(500):
        if condition():
            return
        clock.wait(0.01)
    pytest.fail("still waiting")


def _check(port: int) -> tuple[int, str]:
    result = subprocess.run(
        [sys.executable, "-m", "shared.runtime.health", "--port", str(port)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stderr == ""
    return result.returncode, result.stdout.strip()


def test_the_check_reads_metrics_over_http_and_ends_with_its_verdict(metrics: Metrics) -> None:
    metrics.loop_last_turn.labels(loop="archive").set_to_current_time()
    port = free_port()
    server, thread = start_http_server(port, addr="127.0.0.1", registry=metrics.registry)
    try:
        assert _check(port) == (0, "healthy")
        metrics.consumer_connected.labels(queue="q").set(0)
        assert _check(port)[0] == 1
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_process_that_does_not_answer_is_unhealthy_in_one_line() -> None:
    status, said = _check(free_port())
    assert status == 1
    assert said.startswith("/metrics does not answer")
    assert "\n" not in said
