"""The pace of work that comes in steps, and its variance. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_STRETCHES = 12
_LEAST_STRETCHES = 3

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
