"""Send a contract to its queue without knowing the service that reads it."""

from typing import Any

import dramatiq

from shared.messages import FetchPage, ReviewAvis, WriteSlice


def publish(broker: dramatiq.Broker, message: FetchPage | WriteSlice | ReviewAvis) -> None:
    """Publish, and return once the broker has confirmed; its errors mean: not published."""
    broker.declare_queue(message.QUEUE)
    envelope: dramatiq.Message[Any] = dramatiq.Message(
        queue_name=message.QUEUE,
        actor_name=message.ACTOR,
        args=(),
        kwargs=message.to_wire(),
        options={},
    )
    broker.enqueue(envelope)
