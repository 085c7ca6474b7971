"""A crew or a whole service at work, until nothing is left to do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dramatiq

from services.reviewer.actors import Crew
from shared.clock import Clock
from shared.metrics import Metrics
from shared.service import Running, Service

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register


MakeCrew = Callable[..., Crew]


@contextmanager
def at_work(service: Service, broker: dramatiq.Broker, metrics: Metrics) -> Iterator[None]:
    clock = Clock()
    running = Running([service], broker, clock, metrics)
    running.start()
    try:
        yield
    finally:
        running.stop()


def nothing_pending(register: "Register") -> bool:
    return register.rows("SELECT 1 FROM avis WHERE outcome = 'pending' LIMIT 1") == []
