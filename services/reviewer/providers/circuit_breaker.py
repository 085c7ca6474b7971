"""The end of calls to a provider: a circuit after failures, lost trust after refused texts.

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
REFUSED_SECONDS = 300.0
"""The time without calls after a refusal: a person must change something first."""


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
        self._open(now, REFUSED_SECONDS)

    def abandoned(self, now: float, *, probe: bool) -> None:
        """Note that a call was not made in the end."""
        if probe:
            self._open(now, 0.0)

    def _open(self, now: float, seconds: float) -> None:
        self.state = State.OPEN
        self._until = now + seconds
        self._failures.clear()


_REFUSALS = 20
_FIRST_DOUBT_SECONDS = 300.0
_MOST_DOUBT_SECONDS = 3600.0
# A text that finds out may be lost on its way; after this time another one may.
_TRIAL_SECONDS = 120.0


class Trust:
    """Doubts a provider when 20 texts in a row were refused. Later one text finds out, in hours."""

    def __init__(self) -> None:
        self.state = State.CLOSED
        self._refused = 0
        self._doubts = 0
        self._until = 0.0

    def wait_seconds(self, now: float) -> float:
        """Return the time until a text may be asked for; 0 means now."""
        return 0.0 if self.state is State.CLOSED else max(0.0, self._until - now)

    def begin(self, now: float) -> None:
        """Begin a text that need not wait; of a doubted provider it is the one that finds out."""
        if self.state is not State.CLOSED:
            self.state = State.PROBING
            self._until = now + _TRIAL_SECONDS

    def judged(self, now: float, *, accepted: bool) -> float:
        """Note a verdict; return for how long it makes the provider doubted, 0 for no doubt."""
        if accepted:
            self.state, self._refused, self._doubts = State.CLOSED, 0, 0
            return 0.0
        self._refused += 1
        if self.state is State.OPEN or (self.state is State.CLOSED and self._refused < _REFUSALS):
            # Texts that were on their way when the doubt began say nothing new.
            return 0.0
        seconds = doubling(_FIRST_DOUBT_SECONDS, self._doubts, most=_MOST_DOUBT_SECONDS)
        self.state, self._until = State.OPEN, now + seconds
        self._doubts += 1
        return seconds
