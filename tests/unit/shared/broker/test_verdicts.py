"""The verdict on a failed message, as a table."""

import pytest
from dramatiq.middleware import TimeLimitExceeded

from shared.broker import Action, QueueFull, RetryPolicy, RetryVerdict, decide
from shared.broker.topology import DEFAULT_DELIVERY_LIMIT
from shared.broker.verdicts import hold_seconds
from shared.errors import Rejected, SlowDown, UserError

_THREE = RetryPolicy(min_backoff_ms=2_000, max_backoff_ms=9_000, max_retries=3)


@pytest.mark.parametrize(
    ("exception", "retries", "verdict"),
    [
        (ValueError(), 0, RetryVerdict(Action.RETRY, 1_000)),
        (ValueError(), 1, RetryVerdict(Action.RETRY, 2_000)),
        (OSError(), 5, RetryVerdict(Action.RETRY, 32_000)),
        (OSError(), 9, RetryVerdict(Action.RETRY, 300_000)),
        (OSError(), 10_000, RetryVerdict(Action.RETRY, 300_000)),
        (UserError("no key"), 0, RetryVerdict(Action.RETRY, 1_000)),
        (TimeLimitExceeded(), 0, RetryVerdict(Action.RETRY, 1_000)),
        (Rejected("contract"), 0, RetryVerdict(Action.REJECT)),
        (SlowDown("quota", retry_after_seconds=12.5), 0, RetryVerdict(Action.SLOW_DOWN, 12_500)),
        (SlowDown("quota", retry_after_seconds=0), 99, RetryVerdict(Action.SLOW_DOWN, 1)),
        (QueueFull("sirene.write.v1"), 0, RetryVerdict(Action.SLOW_DOWN, 5_000)),
    ],
)
def test_each_error_has_one_of_three_verdicts(
    exception: BaseException, retries: int, verdict: RetryVerdict
) -> None:
    assert decide(exception, retries) == verdict


@pytest.mark.parametrize(
    ("exception", "retries", "verdict"),
    [
        (ValueError(), 0, RetryVerdict(Action.RETRY, 2_000)),
        (ValueError(), 2, RetryVerdict(Action.RETRY, 8_000)),
        (ValueError(), 3, RetryVerdict(Action.REJECT)),
        (SlowDown("quota", retry_after_seconds=1), 3, RetryVerdict(Action.SLOW_DOWN, 1_000)),
    ],
)
def test_a_limit_of_retries_rejects_what_fails_but_not_what_waits(
    exception: BaseException, retries: int, verdict: RetryVerdict
) -> None:
    assert decide(exception, retries, _THREE) == verdict


def test_a_broker_that_refuses_a_retry_for_hours_does_not_use_up_its_deliveries() -> None:
    assert hold_seconds(0) == 1
    longest = max(hold_seconds(deliveries) for deliveries in range(100))
    assert longest < 30 * 60, "RabbitMQ takes the message back after 30 minutes"
    assert sum(hold_seconds(each) for each in range(DEFAULT_DELIVERY_LIMIT)) > 3 * 3600
