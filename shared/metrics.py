"""Every metric of Sirenade, in one place, each with its unit and its bounded labels.

Counters are for rates and latencies. Business totals come from PostgreSQL: a counter falls with
its replica. Children exist at zero before the first scrape, or `increase()` misses the start.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

ROW_OUTCOMES = ("inserted", "updated", "unchanged", "failed")
AVIS_OUTCOMES = ("accepted", "rejected", "discarded", "skipped", "postponed")
FALLBACK_CAUSES = ("rejected", "late", "out_of_use")
CHAT_OUTCOMES = ("answered", "throttled", "failed", "refused", "bad_request")
JOBS = ("delta", "retry", "purge", "statement")
JOB_OUTCOMES = ("done", "failed")
ACTOR_OUTCOMES = ("done", "retried", "rejected", "slowed_down")
CERTIFICATE_SIDES = ("missing", "surplus")
REQUEST_OUTCOMES = ("ok", "empty", "throttled", "refused", "unavailable", "malformed", "no_answer")
PAUSE_REASONS = ("cap", "asked", "sample")

_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """The catalogue, on a registry of its own so that several can live in one test process."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._make_fetcher_metrics()
        self._make_writer_metrics()
        self._make_reviewer_metrics()
        self._make_provider_metrics()
        self._make_operator_metrics()
        self._make_plumbing_metrics()
        self._make_money_metrics()

    def _make_fetcher_metrics(self) -> None:
        # The shared quota: what it allows, what was used of it, how long a slot was waited for.
        self.quota_limit = Gauge(
            "sirenade_quota_requests_per_minute",
            "Requests a minute that the shared quota allows.",
            registry=self.registry,
        )
        self.quota_wait_seconds = Histogram(
            "sirenade_quota_wait_seconds",
            "Time from asking for a slot of the quota to its grant.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        # One increment for each request that left; the sum over outcomes is the quota used.
        self.insee_requests = self._counter(
            "sirenade_insee_requests",
            "Requests to INSEE by what came of them.",
            outcome=REQUEST_OUTCOMES,
        )
        self.insee_request_seconds = Histogram(
            "sirenade_insee_request_seconds",
            "Duration of a request to INSEE, body included.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.pages_fetched = self._counter("sirenade_pages_fetched", "Pages cut into slices.")
        self.records_fetched = self._counter("sirenade_records_fetched", "Records published.")
        self.pages_resent = self._counter(
            "sirenade_pages_resent", "Pages that stood still and were sent again by the sweeper."
        )
        # Read from PostgreSQL by every replica alike: take the max, never the sum.
        self.certificate_gap = Gauge(
            "sirenade_certificate_gap_establishments",
            "Establishments that differ from INSEE, by the latest certificate of each scope.",
            ["side"],
            registry=self.registry,
        )
        for side in CERTIFICATE_SIDES:
            self.certificate_gap.labels(side=side)

        # From the database, not from what this process did: every replica says the same. Without
        # a child until there is a watermark: nothing is known then, and zero would be fresh.
        self.freshness_age_seconds = Gauge(
            "sirenade_freshness_age_seconds",
            "Time since INSEE treated what the collection is complete up to.",
            ["collection"],
            registry=self.registry,
        )

    def _make_writer_metrics(self) -> None:
        self.rows_written = self._counter(
            "sirenade_rows_written",
            "Establishments by what became of them.",
            outcome=ROW_OUTCOMES,
        )
        # Slices that were not written, because they were already, or belong to an older GET.
        self.slices_skipped = self._counter(
            "sirenade_slices_skipped",
            "Slices acknowledged without writing.",
            cause=("already_written", "superseded"),
        )
        self.slice_write_seconds = Histogram(
            "sirenade_slice_write_seconds",
            "Duration of the transaction that writes one slice.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        # Keys that INSEE added to its records and that no column holds; a sign to read their news.
        self.unknown_keys = self._counter(
            "sirenade_unknown_keys", "Unknown keys seen in INSEE's records."
        )
        self.dead_letters_archived = self._counter(
            "sirenade_dead_letters_archived", "Dead letters moved from RabbitMQ to PostgreSQL."
        )

    def _make_reviewer_metrics(self) -> None:
        self.avis_reviewed = self._counter(
            "sirenade_avis_reviewed", "Avis by what became of them.", outcome=AVIS_OUTCOMES
        )
        # Reason codes are a closed list of the validator's; its children appear on first use.
        self.avis_rejections = Counter(
            "sirenade_avis_rejections",
            "Attempts rejected by the validator, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self.avis_attempt_seconds = Histogram(
            "sirenade_avis_attempt_seconds",
            "Duration of one attempt: generation and validation.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.generators_busy = Gauge(
            "sirenade_generators_busy",
            "Generators of this process at work.",
            registry=self.registry,
        )
        self.avis_published = self._counter(
            "sirenade_avis_published", "Avis that the relay handed to RabbitMQ."
        )

    def _make_provider_metrics(self) -> None:
        """Of chat servers; the providers are those of the settings file."""
        self.chat_calls = Counter(
            "sirenade_chat_calls",
            "Calls to chat servers by what came of them.",
            ["provider", "outcome"],
            registry=self.registry,
        )
        self.chat_call_seconds = Histogram(
            "sirenade_chat_call_seconds",
            "Duration of a call to a chat server, body included.",
            ["provider"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.gate_size = self._of_provider("sirenade_gate_size", "Calls at once that are let in.")
        self.gate_inside = self._of_provider("sirenade_gate_inside", "Calls at work.")
        # A burst of 429 is one pause; chat_calls counts each of them.
        self.gate_pauses = Counter(
            "sirenade_gate_pauses",
            "Bursts of 429 that paused all calls.",
            ["provider"],
            registry=self.registry,
        )
        self.circuit_state = self._of_provider(
            "sirenade_circuit_state", "0: in use, 1: one call finds out, 2: out of use."
        )
        self.avis_fallbacks = self._counter(
            "sirenade_avis_fallbacks",
            "Avis that a template wrote although chat servers are set up, by why.",
            cause=FALLBACK_CAUSES,
        )

    def _of_provider(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, ["provider"], registry=self.registry)

    def _make_operator_metrics(self) -> None:
        self.job_runs = Counter(
            "sirenade_job_runs",
            "Slots of scheduled jobs by what came of them.",
            ["job", "outcome"],
            registry=self.registry,
        )
        # Read from PostgreSQL, so that it outlives the process: alert on its age.
        self.job_last_success = Gauge(
            "sirenade_job_last_success_timestamp_seconds",
            "When each scheduled job was last done.",
            ["job"],
            registry=self.registry,
        )
        for job in JOBS:
            for outcome in JOB_OUTCOMES:
                self.job_runs.labels(job=job, outcome=outcome)

    def _make_plumbing_metrics(self) -> None:
        self.messages = Counter(
            "sirenade_messages",
            "Messages by actor and by what came of them.",
            ["actor", "outcome"],
            registry=self.registry,
        )
        self.message_seconds = Histogram(
            "sirenade_message_seconds",
            "Run time of an actor.",
            ["actor"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.message_wait_seconds = Histogram(
            "sirenade_message_wait_seconds",
            "Time from a message's first publication to its run.",
            ["actor"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.messages_in_progress = Gauge(
            "sirenade_messages_in_progress",
            "Messages being worked on.",
            ["actor"],
            registry=self.registry,
        )
        self.loop_failures = Counter(
            "sirenade_loop_failures",
            "Turns of a loop that failed.",
            ["service", "loop"],
            registry=self.registry,
        )
        # These two are what a container's health check reads: shared/health.py.
        self.loop_last_turn = Gauge(
            "sirenade_loop_last_turn_timestamp_seconds",
            "When a loop's last turn ended well; 0: none has yet.",
            ["loop"],
            registry=self.registry,
        )
        self.consumer_connected = Gauge(
            "sirenade_consumer_connected",
            "1 while the connection to the queue is open.",
            ["queue"],
            registry=self.registry,
        )

    def _counter(self, name: str, text: str, **labels: Iterable[str]) -> Counter:
        """Make a counter with at most one label, its children at zero."""
        counter = Counter(name, text, list(labels), registry=self.registry)
        for label, values in labels.items():
            for value in values:
                counter.labels(**{label: value})
        return counter

    def declare_provider(self, provider: str) -> None:
        """Create a chat server's children at zero."""
        for outcome in CHAT_OUTCOMES:
            self.chat_calls.labels(provider=provider, outcome=outcome)
        self.chat_call_seconds.labels(provider=provider)
        self.gate_pauses.labels(provider=provider)

    def declare_actor(self, actor: str) -> None:
        """Create an actor's children at zero."""
        for outcome in ACTOR_OUTCOMES:
            self.messages.labels(actor=actor, outcome=outcome)
        self.message_seconds.labels(actor=actor)
        self.message_wait_seconds.labels(actor=actor)
        self.messages_in_progress.labels(actor=actor)

    def _make_money_metrics(self) -> None:
        # From the database, and the same in every replica: take the max, never the sum.
        self.budget_cap_euros = Gauge(
            "sirenade_budget_cap_euros",
            "What may be spent on texts in all; +Inf where there is no cap.",
            registry=self.registry,
        )
        self.budget_spent_euros = Gauge(
            "sirenade_budget_spent_euros", "What was spent on texts.", registry=self.registry
        )
        self.budget_reserved_euros = Gauge(
            "sirenade_budget_reserved_euros",
            "What calls under way may cost at most.",
            registry=self.registry,
        )
        # An alert where the reason is the cap; a person's wish is none.
        self.budget_paused = Gauge(
            "sirenade_budget_paused",
            "1 while no text is begun, by the reason.",
            ["reason"],
            registry=self.registry,
        )
        for reason in PAUSE_REASONS:
            self.budget_paused.labels(reason=reason)
        # The names are those of the providers' file.
        self.provider_spent_euros = Gauge(
            "sirenade_provider_spent_euros",
            "What was spent on texts, by provider.",
            ["provider"],
            registry=self.registry,
        )
        self.provider_calls = Gauge(
            "sirenade_provider_calls",
            "Calls that were settled, by provider.",
            ["provider"],
            registry=self.registry,
        )
        self.provider_wait_seconds = Histogram(
            "sirenade_provider_wait_seconds",
            "Time that a call waited for the provider's limits and the budget.",
            ["provider"],
            buckets=_SECONDS,
            registry=self.registry,
        )

    def declare_metered(self, provider: str) -> None:
        """Create the children of a provider whose calls are metered, at zero."""
        self.provider_spent_euros.labels(provider=provider)
        self.provider_calls.labels(provider=provider)
        self.provider_wait_seconds.labels(provider=provider)
