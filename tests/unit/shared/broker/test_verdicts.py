"""The verdict on a failed message, as a table."""

import pytest
from dramatiq.middleware import TimeLimitExceeded

from shared.broker import QueueFull
from shared.broker.topology import DEFAULT_DELIVERY_LIMIT
from shared.broker.verdicts import Action, RetryVerdict, decide, hold_seconds
from shared.errors import Rejected, SlowDown, UserError


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


def test_a_broker_that_refuses_a_retry_for_hours_does_not_use_up_its_deliveries() -> None:
    assert hold_seconds(0) == 1
    longest = max(hold_seconds(deliveries) for deliveries in range(100))
    assert longest < 30 * 60, "RabbitMQ takes the message back after 30 minutes"
    assert sum(hold_seconds(each) for each in range(DEFAULT_DELIVERY_LIMIT)) > 3 * 3600
