"""The verdict on a message whose actor failed, and how long its retry may be held. Pure."""

import enum
from dataclasses import dataclass

from shared.backoff import doubling
from shared.errors import Rejected, SlowDown

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


@dataclass(frozen=True)
class RetryPolicy:
    min_backoff_ms: int = 1_000
    max_backoff_ms: int = 300_000
    max_retries: int | None = None
    """None: retried for ever, since a failed server comes back."""


DEFAULT_POLICY = RetryPolicy()


def decide(
    exception: BaseException, retries: int, policy: RetryPolicy = DEFAULT_POLICY
) -> RetryVerdict:
    """Return the verdict on a message that failed after this many earlier retries.

    Delays have no jitter: they are rounded up to rungs, which would undo it.
    """
    if isinstance(exception, Rejected):
        return RetryVerdict(Action.REJECT)
    if isinstance(exception, SlowDown):
        return RetryVerdict(Action.SLOW_DOWN, max(1, round(exception.retry_after_seconds * 1000)))
    if policy.max_retries is not None and retries >= policy.max_retries:
        return RetryVerdict(Action.REJECT)
    backoff_ms = doubling(policy.min_backoff_ms, retries, most=policy.max_backoff_ms)
    return RetryVerdict(Action.RETRY, round(backoff_ms))


def hold_seconds(deliveries: int) -> float:
    """Return how long a message may wait for its retry to be published.

    `deliveries` are the earlier ones, as the broker counts them.
    """
    return doubling(_FIRST_HOLD_SECONDS, deliveries, most=LONGEST_HOLD_SECONDS)
