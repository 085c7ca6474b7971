"""The circuit of a process to a provider: it ends calls after failures.

Pure: time is an argument.
"""

from collections import deque
from enum import IntEnum

from shared.backoff import doubling

_WINDOW = 20
_LEAST = 10
_SHARE = 0.5
_FIRST_SECONDS = 5.0
_MOST_SECONDS = 60.0
# After a refusal a person must change something first.
_REFUSED_SECONDS = 300.0


class State(IntEnum):
    """The values of the metric."""

    CLOSED = 0
    PROBING = 1
    OPEN = 2


class Circuit:
    """Opens when half of the last 20 calls failed. Later one call, the probe, may close it."""

    def __init__(self) -> None:
        self.state = State.CLOSED
        self._failures: deque[bool] = deque(maxlen=_WINDOW)
        self._until = 0.0
        self._failed_probes = 0

    def wait_seconds(self, now: float) -> float:
        """Return the time until a call may begin; 0 means now."""
        if self.state is State.CLOSED:
            return 0.0
        if self.state is State.PROBING:
            return 1.0
        return max(0.0, self._until - now)

    def begin(self) -> bool:
        """Begin a call that need not wait; return whether it is the probe."""
        if self.state is State.OPEN:
            self.state = State.PROBING
            return True
        return False

    def succeeded(self, *, probe: bool) -> None:
        if probe:
            self.state = State.CLOSED
            self._failed_probes = 0
            self._failures.clear()
        self._failures.append(False)

    def failed(self, now: float, *, probe: bool) -> None:
        if probe:
            self._failed_probes += 1
        else:
            self._failures.append(True)
        count = len(self._failures)
        broken = count >= _LEAST and sum(self._failures) >= _SHARE * count
        if probe or (broken and self.state is State.CLOSED):
            self._open(now, doubling(_FIRST_SECONDS, self._failed_probes, most=_MOST_SECONDS))

    def refused(self, now: float) -> None:
        self._open(now, _REFUSED_SECONDS)

    def abandoned(self, now: float, *, probe: bool) -> None:
        """Note that a call was not made in the end."""
        if probe:
            self._open(now, 0.0)

    def _open(self, now: float, seconds: float) -> None:
        self.state = State.OPEN
        self._until = now + seconds
        self._failures.clear()
