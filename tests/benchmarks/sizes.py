"""Sizes of the benchmarks: QUICK=1 or FULL=1 of `make bench`, or neither."""

import os
from typing import TypeVar

T = TypeVar("T")

VARIABLE = "SIRENADE_BENCH_SIZE"
SIZES = ("quick", "normal", "full")
SIZE = os.environ.get(VARIABLE, "normal")


def pick(*, quick: T, normal: T, full: T | None = None) -> T:
    """Quick shows that a benchmark works; full is what takes longer than a coffee."""
    if SIZE == "quick":
        return quick
    return full if SIZE == "full" and full is not None else normal
