"""The times that the last answers of this process took."""

import math
from collections import deque

_KEPT = 1000
# An export lasts as long as its reader takes. Whoever watches asks for little, and often.
_LEFT_OUT = frozenset({"export_csv", "export_parquet", "healthz", "readyz", "status"})


class AnswerTimes:
    """The times of the last thousand answers to readers; exports do not count."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=_KEPT)

    def add(self, route: str, seconds: float) -> None:
        if route not in _LEFT_OUT:
            self._seconds.append(seconds)

    def p95(self) -> float | None:
        """Return what nineteen answers in twenty did not exceed; None before the first one."""
        if not self._seconds:
            return None
        return sorted(self._seconds)[math.ceil(0.95 * len(self._seconds)) - 1]
