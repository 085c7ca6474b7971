"""The number of calls at once that a provider bears. Pure: it knows no time.

The constants were measured with 200 callers below 600 requests a minute.
"""

import statistics
from collections import deque
from math import ceil

SUCCESSES_PER_STEP = 25
SHRINK = 0.75
CEILING = 1.10
FIRST_SIZE = 10
_SLOWER = 2.0
# The usual latency is the shortest median among these windows; older windows are forgotten.
_WINDOWS = 40
_WINDOWS_AT_THE_CEILING = 10


class Size:
    """Calls at once: +1 for 25 successes, x 0.75 for a burst of 429, at most x 1.10 above that.

    Until the first 429 or the first sign of a queue, the size grows by one for each success, so
    that 200 are reached in a few latencies. It grows only when the gate is full, and not while the
    median latency is twice the usual one: some servers queue without bound and never answer 429.
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
        """Shrink; call this once for each burst of 429."""
        self._opening = False
        self._ceiling = min(float(self._most), self.value * CEILING)
        self._windows_at_ceiling = 0
        self._latencies.clear()
        self.value = max(1, int(self.value * SHRINK))

    def _end_window(self) -> bool:
        """Return whether calls take twice their usual time."""
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
            # No 429 during these windows: the provider allows more than before.
            self._windows_at_ceiling = 0
            self._ceiling = min(float(self._most), ceil(self._ceiling * CEILING))
