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


class BatchRoute:
    """Thread-safe. Holds what the loop of batches saw last: their room, or how long they rest."""

    def __init__(self, provider: Provider) -> None:
        """Begin with room for the time before the loop's first round."""
        self.provider = provider
        self._lock = threading.Lock()
        self._room = provider.at_once
        self._closed_seconds = 0.0

    def set(self, *, room: int, closed_seconds: float) -> None:
        with self._lock:
            self._room, self._closed_seconds = room, closed_seconds

    def wait_seconds(self) -> float:
        return self._closed_seconds

    def judge(self, *, accepted: bool) -> None:
        """Do nothing: the rows of batches hold the verdicts on their texts."""

    def ask(self, write: Write, window: CallWindow, *, first: bool) -> CallResult:
        """Take room for one avis. Raises WaitForBatch, or SlowDown when the batches are full."""
        del write, window, first
        with self._lock:
            self._room -= 1
            full = self._room < 0
        if full:
            raise SlowDown(
                f"the batches of {self.provider.name} are full",
                retry_after_seconds=_FULL_RETRY_SECONDS,
            )
        raise WaitForBatch(self.provider.name)
