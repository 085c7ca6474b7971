"""The mishap of each request, drawn from the seed and the request's number."""

import threading
from dataclasses import asdict
from enum import Enum

from services.simulator.generation.dice import Dice
from services.simulator.options import Faults

_MILLION = 1_000_000


class Mishap(Enum):
    NONE = "none"
    STORM = "429"
    ERROR = "error"
    CUT = "cut"
    TRUNCATED = "truncated"
    HTML = "html"
    EMPTY = "empty"


class FaultDesk:
    """Decides on mishaps; its knobs can be turned while the server runs."""

    def __init__(self, faults: Faults, seed: int) -> None:
        self.knobs = faults
        self._seed = seed
        self._lock = threading.Lock()

    def read(self) -> dict[str, object]:
        with self._lock:
            return asdict(self.knobs)

    def change(self, values: dict[str, object]) -> dict[str, object]:
        """Raises BadChangeError for a knob that is unknown or ill-typed; then none is set."""
        with self._lock:
            self.knobs.change(values)
            return asdict(self.knobs)

    def latency_seconds(self, number: int) -> float:
        with self._lock:
            jitter = self.knobs.latency_jitter_ms
            extra = Dice(self._seed, "latence", number).below(jitter + 1) if jitter else 0
            return (self.knobs.latency_ms + extra) / 1000

    def mishap(self, number: int) -> Mishap:
        """Return a counted mishap first, in the order of this function, then a drawn one."""
        faults = self.knobs
        dice = Dice(self._seed, "panne", number)
        with self._lock:
            for mishap, counter, rate in (
                (Mishap.STORM, "next_429", faults.rate_429),
                (Mishap.ERROR, "next_errors", faults.error_rate),
                (Mishap.CUT, "next_cut", faults.cut_rate),
                (Mishap.TRUNCATED, "next_truncated", faults.truncated_rate),
                (Mishap.HTML, "next_html", faults.html_rate),
                (Mishap.EMPTY, "next_empty", 0.0),
            ):
                left = getattr(faults, counter)
                if left > 0:
                    setattr(faults, counter, left - 1)
                    return mishap
                if dice.below(_MILLION) < rate * _MILLION:
                    return mishap
        return Mishap.NONE

    def hides_day(self, q: str) -> bool:
        """Return whether the query asks for the treatments of a day that shall look empty."""
        return "dateDernierTraitement" in q and any(day in q for day in self.knobs.days_of_404)
