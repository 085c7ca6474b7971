"""The number of avis that a process may hold at once, whatever the sizes of its messages."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition

from shared.clock import Clock

_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 300.0
"""Time to wait for room; then the message goes on, and avis that it cannot begin go back."""


@dataclass
class Capacity:
    """Room for `most` avis; the message that fills it may overfill it.

    A message holds one avis or 25. If only threads limited the work, few threads would leave
    generators idle behind messages of one, and many would claim far too much.
    """

    clock: Clock
    most: float = math.inf
    _held: int = field(default=0, init=False)
    _changed: Condition = field(default_factory=Condition, init=False, compare=False)

    @contextmanager
    def holding(self, number: int) -> Iterator[Callable[[], None]]:
        """Take room, wait for it if needed, and yield a function that frees one place.

        The end of the block frees the rest.
        """
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
