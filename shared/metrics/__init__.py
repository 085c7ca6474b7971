"""All metrics that a process counts, each with its unit and its bounded labels.

Counters and histograms are for rates and latencies: a counter ends with its replica. The work of
the whole system is in PostgreSQL, and the operator's exporter (services/operator/exporter) shows
it. Children exist at zero before the first scrape; otherwise `increase()` misses the start.

The scrape adds the labels `job`, `instance` and `service`: no metric here has one of these names.
"""

from collections.abc import Collection

from prometheus_client import CollectorRegistry

from shared.metrics.catalogue import MESSAGE_BUCKETS, Catalogue
from shared.metrics.fetcher import REQUEST_OUTCOMES, THROTTLING_CAUSES, FetcherMetrics
from shared.metrics.operator import JOB_OUTCOMES, JOBS, OperatorMetrics
from shared.metrics.process import ACTOR_OUTCOMES, ProcessMetrics
from shared.metrics.reviewer import (
    AVIS_OUTCOMES,
    CHAT_OUTCOMES,
    FALLBACK_CAUSES,
    TOKEN_KINDS,
    ReviewerMetrics,
)
from shared.metrics.writer import ROW_OUTCOMES, WriterMetrics

__all__ = [
    "ACTOR_OUTCOMES",
    "AVIS_OUTCOMES",
    "CHAT_OUTCOMES",
    "FALLBACK_CAUSES",
    "JOBS",
    "JOB_OUTCOMES",
    "MESSAGE_BUCKETS",
    "REQUEST_OUTCOMES",
    "ROW_OUTCOMES",
    "THROTTLING_CAUSES",
    "TOKEN_KINDS",
    "Metrics",
]

SERVICES = frozenset({"fetcher", "writer", "reviewer", "operator"})


class Metrics(FetcherMetrics, WriterMetrics, ReviewerMetrics, OperatorMetrics, ProcessMetrics):
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

        self._make_fetcher_metrics(shown("fetcher"))
        self._make_writer_metrics(shown("writer"))
        self._make_reviewer_metrics(shown("reviewer"))
        self._make_operator_metrics(shown("operator"))
        self._make_process_metrics(Catalogue(self.registry), self.registry, version)
