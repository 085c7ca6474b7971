"""What integration tests of the broker share."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import dramatiq
import pytest

WaitFor = Callable[..., None]
StartWorker = Callable[..., dramatiq.Worker]


@pytest.fixture
def wait_for() -> WaitFor:
    """Waits until the condition holds, or fails after `seconds`."""

    def wait(condition: Callable[[], Any], *, seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"not within {seconds} s: {condition.__qualname__}", pytrace=False)
            time.sleep(0.02)

    return wait


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
