"""Time as a parameter, so that tests of waiting need not wait."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """The three uses of time: a date, a duration, a wait that can be cut short."""

    now: Callable[[], datetime] = utc_now
    monotonic_seconds: Callable[[], float] = time.monotonic
    stopping: threading.Event = field(default_factory=threading.Event)

    def wait(self, seconds: float) -> bool:
        """Wait at most this long; return whether the process was asked to stop."""
        return self.stopping.wait(max(0.0, seconds))
