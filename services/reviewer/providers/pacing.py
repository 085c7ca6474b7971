"""How fast a provider may be asked: a size for the calls at once, and buckets of what it allows.

Pure: time is an argument. The constants were measured with 200 callers below 600 requests a minute.
"""

import re
import statistics
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, inf

SUCCESSES_PER_STEP = 25
SHRINK = 0.75
CEILING = 1.10
FIRST_SIZE = 10
_SLOWER = 2.0
# Medians of windows that the shortest usual latency is taken from: an old one is forgotten.
_WINDOWS = 40
_WINDOWS_AT_THE_CEILING = 10


class Size:
    """Calls at once: +1 for 25 successes, x 0.75 for a burst of 429, never far above the last.

    Until the first 429 or the first sign of a queue it grows by one for each success, so that 200
    are reached in a few latencies. It grows only where the gate was full, and not while the median
    latency is twice the usual one: some servers queue without bound and never say 429.
    """

    def __init__(self, most: int) -> None:
        self.value = min(FIRST_SIZE, most)
        self._most = most
        self._ceiling = float(most)
        self._opening = True
        self._latencies: list[float] = []
        self._medians: deque[float] = deque(maxlen=_WINDOWS)
        self._windows_at_ceiling = 0

    def succeeded(self, latency_seconds: float, *, full: bool) -> None:
        self._latencies.append(latency_seconds)
        slow = None
        if len(self._latencies) >= SUCCESSES_PER_STEP:
            slow = self._end_window()
        if slow:
            self._opening = False
        elif full and (self._opening or slow is False):
            self._grow()

    def throttled(self) -> None:
        """To be told once for each burst."""
        self._opening = False
        self._ceiling = min(float(self._most), self.value * CEILING)
        self._windows_at_ceiling = 0
        self._latencies.clear()
        self.value = max(1, int(self.value * SHRINK))

    def _end_window(self) -> bool:
        """Whether calls take twice their usual time."""
        median = statistics.median(self._latencies)
        self._latencies.clear()
        usual = min(self._medians, default=median)
        self._medians.append(median)
        return median >= _SLOWER * usual

    def _grow(self) -> None:
        if self.value < int(self._ceiling):
            self.value += 1
            self._windows_at_ceiling = 0
            return
        self._windows_at_ceiling += 1
        if self._windows_at_ceiling >= _WINDOWS_AT_THE_CEILING:
            # No 429 for so long: the provider allows more than it did.
            self._windows_at_ceiling = 0
            self._ceiling = min(float(self._most), ceil(self._ceiling * CEILING))


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a provider's headers say of one of its limits, as of when the call was let in."""

    limit: int
    remaining: int
    reset_seconds: float | None


class Bucket:
    """Refills all the time; without bounds until the provider has told its limit."""

    def __init__(self) -> None:
        self.spent = 0.0
        self._capacity = inf
        self._per_second = 0.0
        self._level = inf
        self._at = 0.0
        self._newest = -1.0

    def wait_seconds(self, amount: float, now: float) -> float:
        missing = min(amount, self._capacity) - self._level_at(now)
        if missing <= 0:
            return 0.0
        return missing / self._per_second if self._per_second > 0 else 1.0

    def take(self, amount: float, now: float) -> float:
        """Return the mark by which `learn` knows what was spent after this call."""
        self._level = self._level_at(now) - amount
        self._at = now
        self.spent += amount
        return self.spent

    def learn(self, allowance: Allowance, *, sent_at: float, mark: float, now: float) -> None:
        """Answers come late and out of order: calls sent meanwhile are not in `remaining` yet."""
        if mark < self._newest:
            return
        self._newest = mark
        self._capacity = float(allowance.limit)
        self._per_second = _refill(allowance)
        level = allowance.remaining - (self.spent - mark) + (now - sent_at) * self._per_second
        self._level, self._at = min(self._capacity, level), now

    def _level_at(self, now: float) -> float:
        return min(self._capacity, self._level + max(0.0, now - self._at) * self._per_second)


def _refill(allowance: Allowance) -> float:
    """By the second. `reset` is when the bucket is full again: some limits are for a day."""
    missing = allowance.limit - allowance.remaining
    # A few missing are told too roughly to divide by.
    if allowance.reset_seconds and missing > max(2, allowance.limit * 0.02):
        return missing / allowance.reset_seconds
    return allowance.limit / 60


_NAMES = {
    "requests": ("requests", "req-minute"),
    "tokens": ("tokens", "tokens-minute"),
}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}


def read_allowance(headers: Mapping[str, str], kind: str) -> Allowance | None:
    """`kind` is "requests" or "tokens"; None where `x-ratelimit-*` says nothing of it."""
    for name in _NAMES[kind]:
        limit = _count(headers.get(f"x-ratelimit-limit-{name}"))
        remaining = _count(headers.get(f"x-ratelimit-remaining-{name}"))
        if limit and remaining is not None:
            reset = read_duration(headers.get(f"x-ratelimit-reset-{name}", ""))
            return Allowance(limit, min(limit, remaining), reset)
    return None


def _count(value: str | None) -> int | None:
    return int(value) if value is not None and re.fullmatch(r"\d{1,12}", value) else None


def read_duration(value: str) -> float | None:
    """Seconds of « 20ms », « 1.5s », « 6m0s » or a bare number; None for anything else."""
    parts = _DURATION.findall(value)
    if not parts or "".join(number + unit for number, unit in parts) != value:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
