"""The pace of work that comes in steps, its variance, and the end that it foretells. Pure."""

import math
import statistics
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

_STRETCHES = 12
_LEAST_STRETCHES = 3

# A rate over less time jumps; a rate over more shows a change too late.
_RATE_WINDOW_SECONDS = 60.0
# The time before the last minute counts as well, as far as it went at the same pace.
_MEMORY_SECONDS = 900.0
# A step is late after this many times the usual time between two steps.
_LATE_STEPS = 3
_LEAST_STEPS = 7

Step = tuple[float, int]
"""A time in seconds, and the work done by then."""


@dataclass(frozen=True)
class Pace:
    """`variance_per_second` is that of the work of one second, if seconds vary independently.

    It is None where too few steps were seen.
    """

    per_second: float
    variance_per_second: float | None
    seconds: float


def pace_of(steps: Sequence[Step]) -> Pace:
    if len(steps) < 2:  # noqa: PLR2004  # a pace lies between two steps
        return Pace(0.0, None, 0.0)
    (first_seconds, first_done), (last_seconds, last_done) = steps[0], steps[-1]
    seconds = last_seconds - first_seconds
    per_second = (last_done - first_done) / seconds
    # Two neighbouring steps depend on each other: one is late, the next is early. Longer
    # stretches of steps do not.
    squares, stretches, since = 0.0, 0, steps[0]
    for step in steps[1:]:
        if step[0] - since[0] >= seconds / _STRETCHES or step is steps[-1]:
            squares += (step[1] - since[1] - per_second * (step[0] - since[0])) ** 2
            stretches, since = stretches + 1, step
    if stretches < _LEAST_STRETCHES:
        return Pace(per_second, None, seconds)
    return Pace(per_second, squares / seconds * stretches / (stretches - 1), seconds)


def trend_of(steps: Sequence[Step]) -> float:
    """Return the pace that fits all steps best: one late step hardly changes it."""
    if len(steps) < 2:  # noqa: PLR2004  # as above
        return 0.0
    return statistics.linear_regression(*zip(*steps, strict=True)).slope


@dataclass
class Rate:
    """Units per second over the last minute, and the end that they foretell.

    Work comes in steps of one INSEE page. The rate is that between steps; otherwise each step
    would make it jump. The end is foretold from that part of the last quarter of an hour that went
    at the pace of the last minute.
    """

    _steps: deque[Step] = field(default_factory=deque)
    _now_seconds: float = 0.0
    _seen: int = 0
    _pace: Pace = field(default_factory=lambda: pace_of(()))

    def add(self, at_seconds: float, done: int) -> None:
        if self._steps and at_seconds <= self._now_seconds:
            return  # a clock that was set back, or two readings at once
        self._now_seconds = at_seconds
        if not self._steps:
            self._steps.append((at_seconds, done))
        elif self._steps[-1][1] != done:
            self._steps.append((at_seconds, done))
            self._seen += 1
            if self._seen == 2:  # noqa: PLR2004  # the first step serves until there is a second
                # The first step began at an unknown time.
                self._steps.popleft()
        while self._steps[0][0] < at_seconds - _MEMORY_SECONDS and len(self._steps) > 1:
            self._steps.popleft()
        self._forget_another_pace()
        self._pace = pace_of(self._until_now(list(self._steps)))

    @property
    def per_second(self) -> float:
        since_seconds = self._now_seconds - _RATE_WINDOW_SECONDS
        minute = [step for step in self._steps if step[0] >= since_seconds]
        if len(minute) < _LEAST_STEPS and not self._is_late():
            return self._pace.per_second
        return pace_of(self._until_now(minute)).per_second

    def eta_seconds(self, left: int) -> float | None:
        """Return the time to the end at this pace; None while nothing moves."""
        if left <= 0:
            return 0.0
        if self._is_late():
            return left / self._pace.per_second if self._pace.per_second > 0 else None
        per_second = trend_of(self._steps)
        if per_second <= 0:
            return None
        waited_seconds = self._now_seconds - self._steps[-1][0]
        return max(0.0, left / per_second - waited_seconds)

    def eta_uncertainty_seconds(self, left: int) -> float | None:
        """Return two standard errors of that time: of the pace so far, and of the work to come.

        None while too few steps were seen.
        """
        if left <= 0:
            return 0.0
        pace = self._pace
        if pace.per_second <= 0 or pace.variance_per_second is None:
            return None
        left_seconds = left / pace.per_second
        variance = pace.variance_per_second * left_seconds * (1 + left_seconds / pace.seconds)
        # A step is seen up to one usual interval after it was done.
        return 2 * math.sqrt(variance) / pace.per_second + self._usual_seconds()

    def _until_now(self, steps: list[Step]) -> list[Step]:
        """Append the present where the next step is late, so that the wait counts."""
        return [*steps, (self._now_seconds, steps[-1][1])] if steps and self._is_late() else steps

    def _forget_another_pace(self) -> None:
        """Drop what was before the last minute where that went at another pace."""
        steps = list(self._steps)
        since_seconds = self._now_seconds - _RATE_WINDOW_SECONDS
        first = next(
            (n for n, step in enumerate(steps) if step[0] >= since_seconds), len(steps) - 1
        )
        if not self._is_late():
            # Few steps tell nothing: slow work needs a longer look back.
            first = min(first, len(steps) - _LEAST_STEPS)
        if first < 1:
            return
        now, before = pace_of(self._until_now(steps[first:])), pace_of(steps[: first + 1])
        variance = now.variance_per_second or 0.0
        noise = math.sqrt(variance * (1 / now.seconds + 1 / before.seconds))
        if abs(now.per_second - before.per_second) > 2 * noise + 0.01 * before.per_second:
            self._steps = deque(steps[first:])

    def _is_late(self) -> bool:
        return (
            bool(self._steps)
            and self._now_seconds - self._steps[-1][0] > _LATE_STEPS * self._usual_seconds()
        )

    def _usual_seconds(self) -> float:
        return (self._steps[-1][0] - self._steps[0][0]) / max(1, len(self._steps) - 1)
