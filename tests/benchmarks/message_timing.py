"""Measurements that each publishing or consuming process takes of itself, the same for all.

It needs the standard library alone: Celery's process has none of our packages.
"""

import json
import threading
import time
from collections.abc import Callable

ACTOR = "no-op"
THREADS = 8
BEGUN = "a quarter is published"


def publish(send: Callable[[int], object], count: int) -> None:
    """Send the numbers below `count` until one fails, and tell how many `send` returned for."""
    send(0)  # connects, and declares what is needed
    begun, begun_cpu = time.perf_counter(), time.process_time()
    published = 1
    try:
        for number in range(1, count):
            send(number)
            published += 1
            if published == count // 4:
                _tell(BEGUN)
    except Exception:  # noqa: BLE001, S110  # whatever the client raises: it is published no more
        pass
    cpu_seconds, seconds = time.process_time() - begun_cpu, time.perf_counter() - begun
    _tell(json.dumps({"messages": published, "seconds": seconds, "cpu_seconds": cpu_seconds}))


class Consumption:
    """Measures from the first message to the last; the actor calls `count`."""

    def __init__(self, messages: int) -> None:
        self.over = threading.Event()
        self._messages = messages
        self._lock = threading.Lock()
        self._counted = 0
        self._begun = self._begun_cpu = 0.0

    def count(self, _number: int) -> None:
        with self._lock:
            self._counted += 1
            if self._counted == 1:
                self._begun, self._begun_cpu = time.perf_counter(), time.process_time()
            if self._counted == self._messages:
                seconds = time.perf_counter() - self._begun
                cpu_seconds = time.process_time() - self._begun_cpu
                found = {"messages": self._messages, "seconds": seconds, "cpu_seconds": cpu_seconds}
                _tell(json.dumps(found))
                self.over.set()


def _tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # the benchmark reads it
