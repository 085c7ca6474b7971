"""A reviewer or a whole service at work, until nothing is left to do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dramatiq
from pydantic import SecretStr

from services.reviewer.actors import ShardReviewer
from services.reviewer.main import build
from services.reviewer.settings import ReviewerSettings
from shared.broker import make_broker
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.metrics import Metrics
from shared.runtime.service import Running, Service

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register


MakeReviewer = Callable[..., ShardReviewer]


@contextmanager
def at_work(
    service: Service, broker: dramatiq.Broker, clock: Clock, metrics: Metrics
) -> Iterator[None]:
    running = Running([service], broker, clock, metrics)
    running.start()
    try:
        yield
    finally:
        running.stop()


@contextmanager
def reviewer_at_work(database_url: str, metrics: Metrics, **settings: Any) -> Iterator[Service]:
    """Run the whole service over a broker of its own."""
    values = ReviewerSettings(
        database_url=SecretStr(database_url),
        broker_url=SecretStr("memory://"),
        metrics_port=0,
        **settings,
    )
    broker = make_broker("memory://")
    engine = make_engine(database_url, application_name="reviewer", pool_size=2)
    clock = Clock()
    service = build(values, engine=engine, broker=broker, clock=clock, metrics=metrics)
    try:
        with at_work(service, broker, clock, metrics):
            yield service
    finally:
        broker.close()
        engine.dispose()


def nothing_pending(register: "Register") -> bool:
    return register.rows("SELECT 1 FROM avis WHERE outcome = 'pending' LIMIT 1") == []
