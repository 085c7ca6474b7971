"""Delays that grow with each failure, in the unit of their first one. Pure."""

from collections.abc import Sequence
from math import inf

# A number of failures has no bound; a float has one.
_MOST_DOUBLINGS = 32


def doubling(first: float, failures: int, *, most: float = inf) -> float:
    """Return the delay after this many earlier failures: `first`, twice as long for each."""
    return min(first * 2.0 ** min(failures, _MOST_DOUBLINGS), most)


def linear(first: float, failures: int) -> float:
    """Return the delay after this many earlier failures: `first`, and as much more for each."""
    return first * (failures + 1)


def stepped(delays: Sequence[float], failures: int) -> float:
    """Return the delay after this many earlier failures; the last one for all that follow."""
    return delays[min(failures, len(delays) - 1)]
