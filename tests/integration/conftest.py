"""Fixtures of all integration tests: a database, waiting, brokers with their workers."""

import functools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dramatiq
import pytest
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from sqlalchemy import Engine

from shared.broker import make_broker
from shared.db.engine import make_engine
from tests.conditions import wait_until

WaitFor = Callable[..., None]
StartWorker = Callable[..., dramatiq.Worker]
MakeBroker = Callable[..., dramatiq.Broker]
StartProcess = Callable[..., subprocess.Popen[bytes]]

_QUEUE = "sirene.test.v1"
_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def wait_for() -> WaitFor:
    """`waiting.wait_until`, for tests that wait for little."""
    return functools.partial(wait_until, seconds=10)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, application_name="tests", pool_size=10)
    yield engine
    engine.dispose()


@pytest.fixture
def start_worker() -> Iterator[StartWorker]:
    """Starts workers inside this process; they are stopped when the test ends."""
    started: list[dramatiq.Worker] = []

    def start(broker: dramatiq.Broker, *, threads: int = 4) -> dramatiq.Worker:
        worker = dramatiq.Worker(broker, worker_threads=threads, worker_timeout=100)
        worker.start()
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.stop(timeout=5_000)


@pytest.fixture
def make(private_rabbitmq_url: str) -> Iterator[MakeBroker]:
    """Makes the stock broker or ours on the node that may be killed."""
    made: list[dramatiq.Broker] = []

    def make_one(kind: str, **limits: int) -> dramatiq.Broker:
        broker: dramatiq.Broker = (
            RabbitmqBroker(url=private_rabbitmq_url)
            if kind == "stock"
            else make_broker(private_rabbitmq_url, **limits)  # type: ignore[arg-type]  # mypy expects every parameter of make_broker among the limits
        )
        made.append(broker)
        return broker

    yield make_one
    for broker in made:
        broker.close()


@pytest.fixture
def start_process(private_rabbitmq_url: str, tmp_path: Path) -> Iterator[StartProcess]:
    """Starts `broker_worker.py` on the test's folder, with what the environment adds."""
    started: list[subprocess.Popen[bytes]] = []

    def start(kind: str, **environment: str) -> subprocess.Popen[bytes]:
        script = Path(__file__).parent / "shared" / "broker" / "broker_worker.py"
        command = [sys.executable, str(script), kind, private_rabbitmq_url, _QUEUE, str(tmp_path)]
        started.append(
            subprocess.Popen(
                command,
                env=os.environ | {"PYTHONPATH": str(_ROOT)} | environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
