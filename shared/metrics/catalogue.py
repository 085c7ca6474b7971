"""The declaration of metrics, with their children at zero."""

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# The buckets reach from a row in memory to the timeout of a chat server.
SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
# A message may wait for hours.
MESSAGE_BUCKETS = (0.05, 0.25, 1, 5, 15, 60, 300, 900, 3600, 14400)


class Catalogue:
    """Declares metrics on a registry; without one they are counted and never shown."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self._registry = registry

    def counter(self, name: str, text: str, **labels: Iterable[str]) -> Counter:
        """Declare a counter with at most one label, whose values are all known."""
        counter = Counter(name, text, list(labels), registry=self._registry)
        for label, values in labels.items():
            for value in values:
                counter.labels(**{label: value})
        return counter

    def counter_by(self, name: str, text: str, labels: Sequence[str]) -> Counter:
        """Declare a counter whose labels' values come later, by a `declare_…` method."""
        return Counter(name, text, labels, registry=self._registry)

    def gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(name, text, labels, registry=self._registry)

    def histogram(
        self, name: str, text: str, labels: Sequence[str] = (), buckets: Sequence[float] = SECONDS
    ) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self._registry)
