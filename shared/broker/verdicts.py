"""The verdict on a message whose actor failed, and how long its retry may be held. Pure."""

import enum
from dataclasses import dataclass

from shared.backoff import doubling
from shared.errors import Rejected, SlowDown

_FIRST_BACKOFF_MS = 1_000
_MOST_BACKOFF_MS = 300_000
# A retry that cannot be published is held this long before its message returns to its queue, and
# longer with each return: a return counts as a delivery, and an alarm of RabbitMQ that outlasts a
# night must not use up a healthy message's deliveries.
_FIRST_HOLD_SECONDS = 1.0
LONGEST_HOLD_SECONDS = 1200.0  # below RabbitMQ's consumer timeout, 30 minutes


class Action(enum.Enum):
    RETRY = "retry"
    REJECT = "reject"
    SLOW_DOWN = "slow_down"


@dataclass(frozen=True)
class RetryVerdict:
    action: Action
    delay_ms: int = 0


def decide(exception: BaseException, retries: int) -> RetryVerdict:
    """Return the verdict on a message that failed after this many earlier retries.

    Retries have no limit, since what fails is a server that will come back. Delays have no jitter:
    they are rounded up to rungs, which would undo it.
    """
    if isinstance(exception, Rejected):
        return RetryVerdict(Action.REJECT)
    if isinstance(exception, SlowDown):
        return RetryVerdict(Action.SLOW_DOWN, max(1, round(exception.retry_after_seconds * 1000)))
    backoff_ms = doubling(_FIRST_BACKOFF_MS, retries, most=_MOST_BACKOFF_MS)
    return RetryVerdict(Action.RETRY, round(backoff_ms))


def hold_seconds(deliveries: int) -> float:
    """Return how long a message may wait for its retry to be published.

    `deliveries` are the earlier ones, as the broker counts them.
    """
    return doubling(_FIRST_HOLD_SECONDS, deliveries, most=LONGEST_HOLD_SECONDS)
