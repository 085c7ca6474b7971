"""How many avis a process has in hand at once, whatever the sizes of the messages they come in."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition

from shared.clock import Clock

_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 300.0
"""What is not begun in time goes back to the relay: better that than a message held for long."""


@dataclass
class Capacity:
    """Enough for the generators and what comes next; the message that fills it may overfill it.

    A message holds one avis or 25: so many threads as messages of 25 need would leave generators
    idle behind messages of one, and a thread for each generator would claim far too much.
    """

    clock: Clock
    most: float = math.inf
    _held: int = field(default=0, init=False)
    _changed: Condition = field(default_factory=Condition, init=False, compare=False)

    @contextmanager
    def holding(self, number: int) -> Iterator[Callable[[], None]]:
        """Wait for room, and take so many; the function puts one down, the end the rest."""
        self._take(number)
        left = number

        def release_one() -> None:
            nonlocal left
            with self._changed:
                if left:
                    left -= 1
                    self._held -= 1
                    self._changed.notify_all()

        try:
            yield release_one
        finally:
            with self._changed:
                self._held -= left
                left = 0
                self._changed.notify_all()

    def _take(self, number: int) -> None:
        deadline = self.clock.monotonic_seconds() + _PATIENCE_SECONDS
        with self._changed:
            while self._held >= self.most and not self.clock.stopping.is_set():
                if self.clock.monotonic_seconds() > deadline:
                    break
                self._changed.wait(_LOOK_SECONDS)
            self._held += number
