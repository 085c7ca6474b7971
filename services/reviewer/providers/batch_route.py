"""The route to a provider that answers in batches: it sends nothing, the avis is parked."""

import threading

from services.reviewer.providers.bill import CallResult
from services.reviewer.providers.call import CallWindow, Write
from services.reviewer.providers.settings import Provider
from shared.errors import SlowDown

_FULL_RETRY_SECONDS = 30.0


class WaitForBatch(SlowDown):
    """Raised when the provider asks for this text in a batch: the avis is to be parked."""

    def __init__(self, provider: str) -> None:
        super().__init__("waits for a batch", retry_after_seconds=0)
        self.provider = provider


class BatchGate:
    """Thread-safe. Holds what the loop of batches saw last: their room, or how long they rest."""

    def __init__(self, room: int) -> None:
        """Begin with `room` avis for the time before the loop's first round."""
        self._lock = threading.Lock()
        self._room = room
        self._closed_seconds = 0.0

    def set(self, *, room: int, closed_seconds: float) -> None:
        with self._lock:
            self._room, self._closed_seconds = room, closed_seconds

    def take(self) -> bool:
        """Take room for one avis, and return whether there was any."""
        with self._lock:
            self._room -= 1
            return self._room >= 0

    def usable(self) -> bool:
        return self._closed_seconds <= 0

    def wait_seconds(self) -> float:
        return self._closed_seconds


class BatchRoute:
    """A ProviderRoute whose `ask` always raises."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.gate = BatchGate(provider.at_once)

    def ask(self, write: Write, window: CallWindow, *, first: bool) -> CallResult:
        """Raises WaitForBatch, or SlowDown when the batches are full."""
        del write, window, first
        if not self.gate.take():
            raise SlowDown(
                f"the batches of {self.provider.name} are full",
                retry_after_seconds=_FULL_RETRY_SECONDS,
            )
        raise WaitForBatch(self.provider.name)
