"""All metrics that a process counts, each with its unit and its bounded labels.

Counters and histograms are for rates and latencies: a counter ends with its replica. The work of
the whole system is in PostgreSQL, and the operator's exporter (services/operator/exporter) shows
it. Children exist at zero before the first scrape; otherwise `increase()` misses the start.

The scrape adds the labels `job`, `instance` and `service`: no metric here has one of these names.
"""

from collections.abc import Collection

from prometheus_client import CollectorRegistry

from shared.metrics.catalogue import Catalogue
from shared.metrics.indexer import IndexerMetrics
from shared.metrics.portal import PortalMetrics
from shared.metrics.process import ProcessMetrics
from shared.metrics.register import JOBS, ROW_OUTCOMES, THROTTLING_CAUSES, RegisterMetrics
from shared.metrics.reviewer import AVIS_OUTCOMES, ReviewerMetrics

__all__ = ["AVIS_OUTCOMES", "JOBS", "ROW_OUTCOMES", "THROTTLING_CAUSES", "Metrics"]

SERVICES = frozenset({"fetcher", "writer", "reviewer", "operator", "portal", "indexer"})


class Metrics(RegisterMetrics, ReviewerMetrics, PortalMetrics, IndexerMetrics, ProcessMetrics):
    """The catalogue, on its own registry, so that several can live in one test process.

    /metrics shows the metrics of the services `of`; the others can be counted without being shown.
    """

    def __init__(
        self,
        registry: CollectorRegistry | None = None,
        *,
        of: Collection[str] = SERVICES,
        version: str = "",
    ) -> None:
        self.registry = registry or CollectorRegistry()

        def shown(service: str) -> Catalogue:
            return Catalogue(self.registry if service in of else None)

        self._add_fetcher(shown("fetcher"))
        self._add_writer(shown("writer"))
        self._add_reviewer(shown("reviewer"))
        self._add_operator(shown("operator"))
        self._add_portal(shown("portal"))
        self._add_indexer(shown("indexer"))
        self._add_process(Catalogue(self.registry), self.registry, version)
