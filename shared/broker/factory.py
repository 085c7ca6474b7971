"""The broker that belongs to a URL."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import dramatiq
from dramatiq.middleware import CurrentMessage, ShutdownNotifications

from shared.broker.envelope import CompactEncoder
from shared.broker.memory import MemoryBroker
from shared.broker.reliable import ReliableBroker
from shared.broker.retries import SafeRetries, WorkerTimeLimit
from shared.broker.topology import DEFAULT_DELIVERY_LIMIT, DEFAULT_MAX_LENGTH, QueueLimits
from shared.errors import UserError


def make_broker(
    url: str,
    *,
    extra_middleware: Sequence[dramatiq.Middleware] = (),
    max_length: int = DEFAULT_MAX_LENGTH,
    delivery_limit: int = DEFAULT_DELIVERY_LIMIT,
) -> dramatiq.Broker:
    """Make a broker: RabbitMQ for `amqp://…` or `amqps://…`, this process for `memory://`.

    It sets dramatiq's encoder for the whole process, and connects later, when it is used. Raises
    UserError for another URL.
    """
    dramatiq.set_encoder(CompactEncoder())
    # Interrupts of an actor come last. `after_…` hooks run from last to first: interrupts are
    # off before the retry is published, and the extra middleware sees what became of the message.
    own = [SafeRetries(), WorkerTimeLimit(), ShutdownNotifications()]
    middleware = [CurrentMessage(), *extra_middleware, *own]
    match urlsplit(url).scheme:
        case "amqp" | "amqps":
            limits = QueueLimits(max_length=max_length, delivery_limit=delivery_limit)
            return ReliableBroker(url, middleware=middleware, limits=limits)
        case "memory":
            return MemoryBroker(middleware=middleware, max_length=max_length)
        case scheme:
            raise UserError(f"a broker URL begins with amqp:// or memory://, not {scheme}://")


def ready_messages(broker: dramatiq.Broker, queue_name: str) -> int:
    """Count the messages that wait for a consumer; delayed ones and those in progress do not."""
    assert isinstance(broker, ReliableBroker | MemoryBroker)
    broker.declare_queue(queue_name)
    return broker.ready_messages(queue_name)
