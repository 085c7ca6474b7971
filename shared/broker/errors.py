"""The errors of publishing; each means that the message was not accepted."""

import dramatiq

from shared.errors import SirenadeError, SlowDown, UserError

_QUEUE_FULL_PAUSE_SECONDS = 5.0


class BrokerError(SirenadeError):
    """Base of the brokers' errors."""


class BrokerUnavailable(BrokerError):
    """Raised when the broker cannot be reached, or refuses connections, after a few attempts."""


class BrokerBlocked(BrokerUnavailable):
    """Raised when an alarm of memory or disk makes RabbitMQ take no message at all."""

    def __init__(self) -> None:
        super().__init__("RabbitMQ takes no messages: an alarm of memory or disk")


class QueueFull(BrokerError, SlowDown):
    """Raised when a queue is full: its consumers must catch up first."""

    def __init__(self, queue_name: str) -> None:
        super().__init__(
            f"queue {queue_name} takes no more messages",
            retry_after_seconds=_QUEUE_FULL_PAUSE_SECONDS,
        )


class QueueMismatch(BrokerError, UserError):
    """Raised when a queue exists with other arguments, which RabbitMQ never changes."""


def connection_closed(cause: Exception) -> dramatiq.ConnectionClosed:
    """Return the error after which dramatiq's worker pauses and consumes again."""
    return dramatiq.ConnectionClosed(cause)  # type: ignore[no-untyped-call]  # dramatiq leaves its errors untyped
