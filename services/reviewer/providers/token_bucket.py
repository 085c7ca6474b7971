"""Buckets of the requests and tokens that a provider's headers allow. Pure: time is an argument."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Allowance:
    """One limit in a provider's headers, as it stood when the call was let in."""

    limit: int
    remaining: int
    reset_seconds: float | None


class Bucket:
    """A bucket that refills all the time, without a limit until the provider names one."""

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
        """Take the amount; return a mark that tells `learn` what was spent after this call."""
        self._level = self._level_at(now) - amount
        self._at = now
        self.spent += amount
        return self.spent

    def learn(self, allowance: Allowance, *, sent_at: float, mark: float, now: float) -> None:
        """Set the level from headers. They may be late: later calls are not in `remaining` yet."""
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
    """Return the refill per second. The bucket is full at `reset`: some limits are for a day."""
    missing = allowance.limit - allowance.remaining
    # A small amount is too rough to divide by.
    if allowance.reset_seconds and missing > max(2, allowance.limit * 0.02):
        return missing / allowance.reset_seconds
    return allowance.limit / 60


_NAMES = {"requests": ("requests", "req-minute"), "tokens": ("tokens", "tokens-minute")}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}


def read_allowance(headers: Mapping[str, str], kind: str) -> Allowance | None:
    """Read `x-ratelimit-*` for the kind "requests" or "tokens"; None without such headers."""
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
    """Return the seconds of "20ms", "1.5s", "6m0s" or a bare number; None for anything else."""
    parts = _DURATION.findall(value)
    if not parts or "".join(number + unit for number, unit in parts) != value:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
