"""The queues behind one work queue, and their arguments: immutable, hence the versioned names.

work queue ──(rejected, or delivered too often)──▶ <queue>.XQ
    ▲
    └──(expired)── <queue>.delay.1s … <queue>.delay.3600s
"""

from dataclasses import dataclass
from typing import Any

from dramatiq.common import xq_name

RUNG_SECONDS = (1, 5, 15, 60, 300, 900, 3600)

DEFAULT_MAX_LENGTH = 10_000
# A kill of a worker counts a delivery for every message that it had prefetched: a small limit would
# reject healthy messages.
DEFAULT_DELIVERY_LIMIT = 20
# RabbitMQ 4 drops a message from a quorum queue after 20 deliveries unless told otherwise.
_PRACTICALLY_UNLIMITED = 1_000_000_000

# Milliseconds since the epoch, in a message whose delay takes more than one rung.
DUE_HEADER = "x-sirenade-due"


@dataclass(frozen=True)
class QueueLimits:
    """Limits are part of a queue's identity: all that declare it must agree."""

    max_length: int = DEFAULT_MAX_LENGTH
    delivery_limit: int = DEFAULT_DELIVERY_LIMIT


def rung_for(delay_ms: int) -> int:
    """Return the shortest rung (s) that is long enough, or else the longest."""
    for seconds in RUNG_SECONDS:
        if delay_ms <= seconds * 1000:
            return seconds
    return RUNG_SECONDS[-1]


def rung_name(queue_name: str, seconds: int) -> str:
    return f"{queue_name}.delay.{seconds}s"


def work_arguments(queue_name: str, limits: QueueLimits) -> dict[str, Any]:
    return {
        **_dead_lettering_to(xq_name(queue_name)),
        "x-max-length": limits.max_length,
        "x-delivery-limit": limits.delivery_limit,
    }


def rung_arguments(queue_name: str, seconds: int) -> dict[str, Any]:
    return {
        **_dead_lettering_to(queue_name),
        # One value for the whole queue: messages expire only at its head.
        "x-message-ttl": seconds * 1000,
        "x-delivery-limit": _PRACTICALLY_UNLIMITED,
    }


def dead_letter_arguments() -> dict[str, Any]:
    """Return arguments without expiry: dead letters stay until they are archived."""
    return {"x-queue-type": "quorum", "x-delivery-limit": _PRACTICALLY_UNLIMITED}


def _dead_lettering_to(target: str) -> dict[str, Any]:
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": target,
        # The default, at-most-once, may lose messages; this one needs the overflow below.
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
