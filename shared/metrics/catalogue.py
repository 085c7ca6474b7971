"""The declaration of metrics, with their children at zero."""

import itertools
from collections.abc import Iterable, Sequence
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# The buckets reach from a row in memory to the timeout of a chat server.
SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
# A message may wait for hours.
MESSAGE_BUCKETS = (0.05, 0.25, 1, 5, 15, 60, 300, 900, 3600, 14400)

_Metric = TypeVar("_Metric", Counter, Gauge)


class Catalogue:
    """Declares metrics on a registry; without one they are counted and never shown.

    A label comes with all its values, or by its name alone: the children then follow, by a
    `declare_…` method.
    """

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self._registry = registry

    def counter(self, name: str, text: str, /, *labels: str, **known: Iterable[str]) -> Counter:
        return _at_zero(Counter(name, text, [*labels, *known], registry=self._registry), known)

    def gauge(self, name: str, text: str, /, *labels: str, **known: Iterable[str]) -> Gauge:
        return _at_zero(Gauge(name, text, [*labels, *known], registry=self._registry), known)

    def histogram(
        self, name: str, text: str, /, *labels: str, buckets: Sequence[float] = SECONDS
    ) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self._registry)


def _at_zero(metric: _Metric, known: dict[str, Iterable[str]]) -> _Metric:
    if known:
        for values in itertools.product(*known.values()):
            metric.labels(*values)
    return metric
