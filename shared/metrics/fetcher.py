"""The metrics of a fetcher. The exporter shows the quota, which all replicas share."""

from shared.metrics.catalogue import Catalogue

REQUEST_OUTCOMES = ("ok", "empty", "throttled", "refused", "unavailable", "malformed", "no_answer")
# The limit that the headers of the 429 call used up; `untold` where they name none.
THROTTLING_CAUSES = ("minute", "hour", "untold")


class FetcherMetrics:
    def _make_fetcher_metrics(self, catalogue: Catalogue) -> None:
        self.quota_wait_seconds = catalogue.histogram(
            "sirenade_quota_wait_seconds", "Time from asking for a slot of the quota to its grant."
        )
        # Each request that left counts once; the sum over outcomes is the quota used.
        self.insee_requests = catalogue.counter(
            "sirenade_insee_requests",
            "Requests to INSEE by what came of them.",
            outcome=REQUEST_OUTCOMES,
        )
        # A single one is worth an alert: another user has the key, or the limit was lowered.
        self.insee_throttled = catalogue.counter(
            "sirenade_insee_throttled",
            "Answers 429 of INSEE by the limit that they name.",
            cause=THROTTLING_CAUSES,
        )
        self.insee_request_seconds = catalogue.histogram(
            "sirenade_insee_request_seconds", "Duration of a request to INSEE, body included."
        )
        self.pages_fetched = catalogue.counter("sirenade_pages_fetched", "Pages cut into slices.")
        self.records_fetched = catalogue.counter("sirenade_records_fetched", "Records published.")
        self.slices_published = catalogue.counter(
            "sirenade_slices_published", "Slices handed to RabbitMQ and confirmed."
        )
        self.pages_resent = catalogue.counter(
            "sirenade_pages_resent", "Pages that stood still and were sent again by the sweeper."
        )
