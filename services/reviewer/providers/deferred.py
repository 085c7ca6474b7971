"""A way to a provider that answers later: an avis that is asked for here waits for a batch."""

import threading

from services.reviewer.providers.call import CallResult, CallWindow, Write
from services.reviewer.providers.settings import Provider
from shared.errors import SlowDown

_FULL_RETRY_SECONDS = 30.0


class Deferred(SlowDown):
    """Raised where the text will be asked for with others; until then the avis is to wait."""

    def __init__(self, provider: str) -> None:
        super().__init__("waits for a batch", retry_after_seconds=0)
        self.provider = provider


class BatchGate:
    """Thread-safe. What the loop over the batches last saw: whether they work, and their room."""

    def __init__(self, room: int) -> None:
        """With some room for those who come before the loop's first look."""
        self._lock = threading.Lock()
        self._room = room
        self._closed_seconds = 0.0

    def set(self, *, room: int, closed_seconds: float) -> None:
        with self._lock:
            self._room, self._closed_seconds = room, closed_seconds

    def take(self) -> bool:
        """Whether there is room for one more."""
        with self._lock:
            self._room -= 1
            return self._room >= 0

    def usable(self) -> bool:
        return self._closed_seconds <= 0

    def wait_seconds(self) -> float:
        return self._closed_seconds


class BatchLine:
    """In place of a `Line`."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.gate = BatchGate(provider.at_once)

    def ask(self, write: Write, window: CallWindow, *, first: bool) -> CallResult:
        """Raises Deferred, or SlowDown where enough wait already. Nothing is sent."""
        del write, window, first
        if not self.gate.take():
            raise SlowDown(
                f"the batches of {self.provider.name} are full",
                retry_after_seconds=_FULL_RETRY_SECONDS,
            )
        raise Deferred(self.provider.name)
