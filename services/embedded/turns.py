"""The turns of one process: its texts wait while pages or slices of the import are at work.

Python computes one thing at a time. Left alone, generators take turns of milliseconds from the
fetcher at each of its steps, and a page that is late for its slot costs the slot.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.clock import Clock
from shared.messages import FetchPage, WriteSlice

_LOOK_SECONDS = 0.01
# Texts go on slowly beside an import that is never idle, as under a server that answers late.
_PATIENCE_SECONDS = 1.0


@dataclass(frozen=True)
class CountingClock(Clock):
    """Knows how many threads wait by it."""

    _waiting: set[int] = field(default_factory=set, init=False)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def wait(self, seconds: float) -> bool:
        thread = threading.get_ident()
        self._waiting.add(thread)
        try:
            return super().wait(seconds)
        finally:
            self._waiting.discard(thread)


@dataclass(frozen=True)
class ImportFirst:
    """Lets texts begin while no page is on its way and no slice is being written.

    `in_progress` and `ready` count messages, by actor and by queue. A fetcher that waits for its
    slot by `fetcher_clock` needs no turn.
    """

    in_progress: Callable[[str], int]
    ready: Callable[[str], int]
    fetcher_clock: CountingClock
    patience_seconds: float = _PATIENCE_SECONDS
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False, compare=False)

    def is_busy(self) -> bool:
        """Return whether the import has work for the processor."""
        fetching = self.in_progress(FetchPage.ACTOR) - self.fetcher_clock.waiting
        writing = self.in_progress(WriteSlice.ACTOR) + self.ready(WriteSlice.QUEUE)
        return fetching > 0 or writing > 0

    def give_way(self) -> None:
        """Wait while the import is busy, a second at most; one text after the other."""
        with self._turn:
            deadline_seconds = time.monotonic() + self.patience_seconds
            while self.is_busy() and time.monotonic() < deadline_seconds:
                if self.fetcher_clock.stopping.wait(_LOOK_SECONDS):
                    return
