"""The metrics of the services that keep the register: fetcher, writer and operator.

The operator's exporter shows what all replicas share, such as the quota and PostgreSQL's totals.
"""

import threading

from shared.metrics.catalogue import Catalogue

REQUEST_OUTCOMES = ("ok", "empty", "throttled", "refused", "unavailable", "malformed", "no_answer")
FAILURES = ("refused", "unavailable", "malformed", "no_answer")
# The limit that the headers of the 429 call used up; `untold` where they name none.
THROTTLING_CAUSES = ("minute", "hour", "untold")
ROW_OUTCOMES = ("inserted", "updated", "unchanged", "failed")
JOBS = ("delta", "retry", "purge", "reviews", "statement", "archive", "reconcile")
JOB_OUTCOMES = ("done", "failed")


class RegisterMetrics:
    def _add_fetcher(self, new: Catalogue) -> None:
        self._insee_answers, self._insee_began = threading.Lock(), 0.0
        self.quota_wait_seconds = new.histogram(
            "sirenade_quota_wait_seconds", "Time from asking for a slot of the quota to its grant."
        )
        # Each request that left counts once; the sum over outcomes is the quota used.
        requests = "Requests to INSEE by what came of them."
        self.insee_requests = new.counter(
            "sirenade_insee_requests", requests, outcome=REQUEST_OUTCOMES
        )
        # A single one is worth an alert: another user has the key, or the limit was lowered.
        # A 429 is neither good nor bad: INSEE is there.
        self.insee_failing = new.gauge(
            "sirenade_insee_failing_timestamp_seconds",
            "Since when INSEE gives no good answer, by what came last; 0: the last was good.",
            outcome=FAILURES,
        )
        throttled = "Answers 429 of INSEE by the limit that they name."
        self.insee_throttled = new.counter(
            "sirenade_insee_throttled", throttled, cause=THROTTLING_CAUSES
        )
        self.insee_request_seconds = new.histogram(
            "sirenade_insee_request_seconds", "Duration of a request to INSEE, body included."
        )
        self.pages_fetched = new.counter("sirenade_pages_fetched", "Pages cut into slices.")
        self.records_fetched = new.counter("sirenade_records_fetched", "Records published.")
        self.slices_published = new.counter(
            "sirenade_slices_published", "Slices handed to RabbitMQ and confirmed."
        )
        self.pages_resent = new.counter(
            "sirenade_pages_resent", "Pages that stood still and were sent again by the sweeper."
        )

        self.pages_dropped = new.counter(
            "sirenade_pages_dropped", "Messages of pages that came after their run was cancelled."
        )

    def fail_insee(self, outcome: str | None, *, since: float = 0.0) -> None:
        """Count a bad answer from its first one on; None is a good one, which ends them all."""
        with self._insee_answers:
            began = self._insee_began = 0.0 if outcome is None else self._insee_began or since
            for each in FAILURES:
                self.insee_failing.labels(outcome=each).set(began if each == outcome else 0.0)

    def _add_writer(self, new: Catalogue) -> None:
        self.rows_written = new.counter(
            "sirenade_rows_written", "Establishments by what became of them.", outcome=ROW_OUTCOMES
        )
        # These slices were written already, or belong to an older GET or a cancelled run.
        self.slices_skipped = new.counter(
            "sirenade_slices_skipped",
            "Slices acknowledged without writing.",
            cause=("already_written", "superseded", "cancelled"),
        )
        # It covers decoding, COPY, merge, pages, due avis, receipt and commit.
        self.slice_write_seconds = new.histogram(
            "sirenade_slice_write_seconds", "Duration of the transaction that writes one slice."
        )
        # INSEE added keys to its records that no column holds: read its news.
        self.unknown_keys = new.counter(
            "sirenade_unknown_keys", "Unknown keys seen in INSEE's records."
        )
        self.dead_letters_archived = new.counter(
            "sirenade_dead_letters_archived", "Dead letters moved from RabbitMQ to PostgreSQL."
        )

    def _add_operator(self, new: Catalogue) -> None:
        runs = "Slots of scheduled jobs by what came of them."
        self.job_runs = new.counter("sirenade_job_runs", runs, name=JOBS, outcome=JOB_OUTCOMES)
        # Read from PostgreSQL, so that it outlives the process: alert on its age.
        self.job_last_success = new.gauge(
            "sirenade_job_last_success_timestamp_seconds",
            "When each scheduled job was last done.",
            "name",
        )
