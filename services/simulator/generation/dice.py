"""Randomness as a pure function of seed, purpose and number."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

Item = TypeVar("Item")

_ENOUGH = 1 << 48


class Dice:
    """A short stream of draws; two Dice with equal arguments always draw the same.

    One costs about a microsecond, unlike `random.Random`: a register of 600 000 establishments
    needs to exist only as a function of an index.
    """

    __slots__ = ("_key", "_rounds", "_value")

    def __init__(self, seed: int, purpose: str, number: int) -> None:
        self._key = f"{seed}/{purpose}/{number}"
        self._rounds = 0
        self._value = int.from_bytes(blake2b(self._key.encode()).digest(), "little")

    def below(self, bound: int) -> int:
        """Draw from 0 to bound - 1; bound stays far below 2**48."""
        if self._value < _ENOUGH:
            self._refill()
        self._value, drawn = divmod(self._value, bound)
        return drawn

    def chance(self, per_mille: int) -> bool:
        # Half of all draws come here: a call of `below` would cost too much.
        if self._value < _ENOUGH:
            self._refill()
        self._value, drawn = divmod(self._value, 1000)
        return drawn < per_mille

    def _refill(self) -> None:
        self._rounds += 1
        fresh = blake2b(f"{self._key}/{self._rounds}".encode()).digest()
        self._value = int.from_bytes(fresh, "little")

    def pick(self, items: Sequence[Item]) -> Item:
        return items[self.below(len(items))]
