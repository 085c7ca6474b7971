"""Pieces of what is too much for one statement.

Some units have a hundred thousand establishments, and a statement has 60 seconds.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

ROWS = 2000

ItemT = TypeVar("ItemT")


def in_pieces(items: Sequence[ItemT]) -> Iterator[Sequence[ItemT]]:
    """Yield at most `ROWS` of the items at a time, in their order."""
    for start in range(0, len(items), ROWS):
        yield items[start : start + ROWS]


def fit_in_one(items: Sequence[object] | frozenset[str]) -> bool:
    return len(items) <= ROWS
