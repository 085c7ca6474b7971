"""The counts of requests at the server, as INSEE's gateway keeps them, and its quota."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

MINUTE_SECONDS = 60.0
HOUR_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Grant:
    """The answer of the gateway to one request; resets in seconds of the epoch."""

    allowed: bool
    minute_limit: int
    minute_left: int
    minute_reset: float
    hour_limit: int
    hour_left: int
    hour_reset: float


class SlidingWindow:
    """The moments of the last `seconds`; a request exactly that old still counts."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._times: deque[float] = deque()

    def add(self, now: float) -> int:
        """Count one more and return the new count."""
        while self._times and self._times[0] < now - self._seconds:
            self._times.popleft()
        self._times.append(now)
        return len(self._times)

    def frees_in(self, now: float) -> float:
        """Return the seconds until the oldest request no longer counts."""
        return max(self._times[0] + self._seconds - now, 0.0) if self._times else 0.0


class ServerQuota:
    """Sliding counts by key; refused requests count like the others."""

    def __init__(
        self,
        per_minute: int,
        per_hour: int | None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.per_minute = per_minute
        self.per_hour = per_hour
        self._monotonic = monotonic
        self._wall = wall
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[SlidingWindow, SlidingWindow]] = {}

    def take(self, key: str) -> Grant:
        with self._lock:
            now, wall = self._monotonic(), self._wall()
            minute, hour = self._windows.setdefault(
                key, (SlidingWindow(MINUTE_SECONDS), SlidingWindow(HOUR_SECONDS))
            )
            in_minute, in_hour = minute.add(now), hour.add(now)
            # The headers name the public plan's hourly quota where none is set: nobody reaches it.
            per_hour = self.per_hour if self.per_hour is not None else 60 * self.per_minute
            hour_passed = self.per_hour is not None and in_hour > self.per_hour
            return Grant(
                allowed=in_minute <= self.per_minute and not hour_passed,
                minute_limit=self.per_minute,
                minute_left=max(self.per_minute - in_minute, 0),
                minute_reset=wall + minute.frees_in(now),
                hour_limit=per_hour,
                hour_left=max(per_hour - in_hour, 0),
                hour_reset=wall + hour.frees_in(now),
            )


class Witness:
    """Counts all requests for the API, whatever their key, refused ones included."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._minute = SlidingWindow(MINUTE_SECONDS)
        self._first: float | None = None
        self._last = 0.0
        self._requests = 0
        self._most = 0
        self._statuses: Counter[int] = Counter()

    def arrived(self) -> int:
        """Note a request and return its number, from 1."""
        with self._lock:
            now = self._monotonic()
            self._first = now if self._first is None else self._first
            self._last = now
            self._requests += 1
            self._most = max(self._most, self._minute.add(now))
            return self._requests

    def answered(self, status: int) -> None:
        with self._lock:
            self._statuses[status] += 1

    def report(self) -> dict[str, object]:
        with self._lock:
            return {
                "requests": self._requests,
                "http_429": self._statuses[429],
                "most_requests_in_60_seconds": self._most,
                "seconds_between_first_and_last": (
                    0.0 if self._first is None else round(self._last - self._first, 3)
                ),
                "statuses": {str(status): n for status, n in sorted(self._statuses.items())},
            }
