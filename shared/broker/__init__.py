"""The broker of every service: RabbitMQ without losses, or a substitute inside one process."""

from shared.broker.consumer import is_consuming
from shared.broker.dead_letters import DeadLetter, drain_dead_letters, replay
from shared.broker.errors import BrokerError, BrokerUnavailable, QueueFull, QueueMismatch
from shared.broker.factory import make_broker, ready_messages
from shared.broker.memory import MemoryBroker
from shared.broker.reliable import ReliableBroker

__all__ = [
    "BrokerError",
    "BrokerUnavailable",
    "DeadLetter",
    "MemoryBroker",
    "QueueFull",
    "QueueMismatch",
    "ReliableBroker",
    "drain_dead_letters",
    "is_consuming",
    "make_broker",
    "ready_messages",
    "replay",
]
