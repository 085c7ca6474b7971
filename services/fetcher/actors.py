"""The actor of the fetcher."""

from typing import Any

import dramatiq

from services.fetcher.walk.walker import Walker
from shared.db.outages import slowing_down
from shared.messages import FetchPage


def declare_actors(broker: dramatiq.Broker, walker: Walker, *, time_limit_seconds: float) -> None:
    def fetch_page(*others: Any, **wire: Any) -> None:
        with slowing_down():
            walker.fetch_page(FetchPage.from_wire(wire, *others))

    dramatiq.actor(
        broker=broker,
        actor_name=FetchPage.ACTOR,
        queue_name=FetchPage.QUEUE,
        time_limit=int(time_limit_seconds * 1000),
    )(fetch_page)
