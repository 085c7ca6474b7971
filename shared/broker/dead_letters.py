"""Dead letters: they leave their queue once a handler has stored them, and can be replayed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import dramatiq
import pika
from dramatiq.common import xq_name
from dramatiq.errors import DecodeError

from shared.broker import topology
from shared.broker.connection_parameters import CONNECTION_ERRORS, described
from shared.broker.envelope import receive
from shared.broker.errors import BrokerUnavailable
from shared.broker.memory import MemoryBroker
from shared.broker.reliable import ReliableBroker

_OF_THE_LAST_RUN = frozenset({"retries", "last_error"})


@dataclass(frozen=True)
class DeadLetter:
    queue: str
    reason: str
    """RabbitMQ's word: `rejected`, or `delivery_limit` where workers died of the message."""
    body: bytes
    actor: str | None
    """None where the body cannot be decoded; `message_id` too."""
    message_id: str | None


def drain_dead_letters(
    broker: dramatiq.Broker,
    queue_name: str,
    handle: Callable[[DeadLetter], None],
    *,
    limit: int = 1000,
) -> int:
    """Hand each dead letter to `handle`, then delete it; return how many were handled.

    `handle` commits before it returns. Its error ends the drain and keeps that letter. A letter
    comes again where this process dies between the two.
    """
    broker.declare_queue(queue_name)
    if isinstance(broker, MemoryBroker):
        return _drain_memory(broker, queue_name, handle, limit)
    assert isinstance(broker, ReliableBroker)
    handled = 0
    with _channel_of(broker, queue_name) as channel:
        while handled < limit:
            method, properties, body = channel.basic_get(xq_name(queue_name))
            if method is None:
                break
            handle(_letter(queue_name, body, _reason(properties)))
            channel.basic_ack(method.delivery_tag)
            handled += 1
    return handled


def replay(broker: dramatiq.Broker, queue_name: str, body: bytes) -> None:
    """Publish the message as if for the first time, and wait for the confirmation.

    Raises `DecodeError` for a body that is no message.
    """
    message: dramatiq.Message[Any] = dramatiq.Message.decode(body)
    options = {k: v for k, v in message.options.items() if k not in _OF_THE_LAST_RUN}
    broker.declare_queue(queue_name)
    broker.enqueue(replace(message, queue_name=queue_name, options=options))


@contextmanager
def _channel_of(broker: ReliableBroker, queue_name: str) -> Iterator[Any]:
    """Open a channel on a new connection; its end returns what was not acknowledged.

    The queue of dead letters alone is made where it lacks: the user may have no right to others.
    """
    try:
        with pika.BlockingConnection(broker.parameters) as connection:
            channel = connection.channel()
            arguments = topology.dead_letter_arguments()
            channel.queue_declare(xq_name(queue_name), durable=True, arguments=arguments)
            yield channel
    except CONNECTION_ERRORS as error:
        raise BrokerUnavailable(f"RabbitMQ: {described(error)}") from error


def _drain_memory(
    broker: MemoryBroker, queue_name: str, handle: Callable[[DeadLetter], None], limit: int
) -> int:
    letters = broker.dead_letter_bodies[queue_name]
    handled = 0
    while letters and handled < limit:
        handle(_letter(queue_name, letters[0], "rejected"))
        letters.popleft()
        handled += 1
    return handled


def _letter(queue_name: str, body: bytes, reason: str) -> DeadLetter:
    try:
        message = receive(queue_name, body)
    except DecodeError:
        return DeadLetter(queue_name, reason, body, None, None)
    return DeadLetter(queue_name, reason, body, message.actor_name, message.message_id)


def _reason(properties: Any) -> str:
    deaths = (properties.headers or {}).get("x-death") or [{}]
    return str(deaths[0].get("reason", "unknown"))
