"""How fast work goes that comes in steps, and how much that varies."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_STRETCHES = 12
_LEAST_STRETCHES = 3

Step = tuple[float, int]
"""When, in seconds, and how much was done by then."""


@dataclass(frozen=True)
class Pace:
    """`variance_per_second`: how the work of a second varies, where seconds vary independently.

    None where too little was seen to tell.
    """

    per_second: float
    variance_per_second: float | None
    seconds: float


def pace_of(steps: Sequence[Step]) -> Pace:
    if len(steps) < 2:  # noqa: PLR2004  # a pace is between two
        return Pace(0.0, None, 0.0)
    (first_seconds, first_done), (last_seconds, last_done) = steps[0], steps[-1]
    seconds = last_seconds - first_seconds
    per_second = (last_done - first_done) / seconds
    # Of neighbours one is early where the other is late: what varies are stretches of steps.
    squares, stretches, since = 0.0, 0, steps[0]
    for step in steps[1:]:
        if step[0] - since[0] >= seconds / _STRETCHES or step is steps[-1]:
            squares += (step[1] - since[1] - per_second * (step[0] - since[0])) ** 2
            stretches, since = stretches + 1, step
    if stretches < _LEAST_STRETCHES:
        return Pace(per_second, None, seconds)
    return Pace(per_second, squares / seconds * stretches / (stretches - 1), seconds)


def trend_of(steps: Sequence[Step]) -> float:
    """The pace that fits all the steps best: one of them that came late does not sway it."""
    if len(steps) < 2:  # noqa: PLR2004  # as above
        return 0.0
    return statistics.linear_regression(*zip(*steps, strict=True)).slope
