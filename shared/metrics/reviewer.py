"""The metrics of a reviewer: its texts, and the chat servers that it asks.

The providers are those of the settings file. The exporter shows the budget, which all replicas
share.
"""

from collections.abc import Iterable

from shared.metrics.catalogue import Catalogue

AVIS_OUTCOMES = ("accepted", "rejected", "discarded", "skipped", "postponed")
FALLBACK_CAUSES = ("rejected", "late", "out_of_use")
CHAT_OUTCOMES = ("answered", "throttled", "failed", "refused", "bad_request")
# `cached` tokens are among `in`.
TOKEN_KINDS = ("in", "cached", "out")
BATCH_STATES = ("ready", "submitted")
BATCH_ENDS = ("completed", "expired", "cancelled", "failed", "lost")


class ReviewerMetrics:
    def _make_reviewer_metrics(self, catalogue: Catalogue) -> None:
        self.avis_reviewed = catalogue.counter(
            "sirenade_avis_reviewed", "Avis by what became of them.", outcome=AVIS_OUTCOMES
        )
        # Reason codes are a closed list of the validator; `declare_reasons` makes the children.
        self.avis_rejections = catalogue.counter_by(
            "sirenade_avis_rejections", "Attempts rejected by the validator, by reason.", ["reason"]
        )
        self.avis_attempt_seconds = catalogue.histogram(
            "sirenade_avis_attempt_seconds", "Duration of one attempt: generation and validation."
        )
        # Busy generators divided by generators are the saturation of this process.
        self.generators = catalogue.gauge(
            "sirenade_generators", "Generators that this process has."
        )
        self.generators_busy = catalogue.gauge(
            "sirenade_generators_busy", "Generators of this process at work."
        )
        self.avis_published = catalogue.counter(
            "sirenade_avis_published", "Avis that the relay handed to RabbitMQ."
        )
        self.avis_fallbacks = catalogue.counter(
            "sirenade_avis_fallbacks",
            "Avis that a template wrote although chat servers are set up, by why.",
            cause=FALLBACK_CAUSES,
        )
        self._make_chat_metrics(catalogue)
        self._make_gate_metrics(catalogue)
        self._make_batch_metrics(catalogue)

    def _make_chat_metrics(self, catalogue: Catalogue) -> None:
        self.chat_calls = catalogue.counter_by(
            "sirenade_chat_calls",
            "Calls to chat servers by what came of them.",
            ["provider", "outcome"],
        )
        self.chat_call_seconds = catalogue.histogram(
            "sirenade_chat_call_seconds",
            "Duration of a call to a chat server, body included.",
            ["provider"],
        )
        # The tokens as billed, those of calls without an answer included.
        self.chat_tokens = catalogue.counter_by(
            "sirenade_chat_tokens",
            "Tokens of calls to chat servers; cached ones are among those that went in.",
            ["provider", "kind"],
        )
        # It serves for the rate of spending; sirenade_budget_spent_euros is the total.
        self.chat_cost_euros = catalogue.counter_by(
            "sirenade_chat_cost_euros", "Cost of calls to chat servers.", ["provider"]
        )

    def _make_gate_metrics(self, catalogue: Catalogue) -> None:
        by_provider = ["provider"]
        self.gate_size = catalogue.gauge(
            "sirenade_gate_size", "Calls at once that are let in.", by_provider
        )
        self.gate_inside = catalogue.gauge("sirenade_gate_inside", "Calls at work.", by_provider)
        # A burst of 429s is one pause; chat_calls counts each 429.
        self.gate_pauses = catalogue.counter_by(
            "sirenade_gate_pauses", "Bursts of 429 that paused all calls.", by_provider
        )
        self.circuit_state = catalogue.gauge(
            "sirenade_circuit_state",
            "0: in use, 1: one call finds out, 2: out of use.",
            by_provider,
        )
        self.provider_wait_seconds = catalogue.histogram(
            "sirenade_provider_wait_seconds",
            "Time that a call waited for the provider's limits and the budget.",
            by_provider,
        )

    def _make_batch_metrics(self, catalogue: Catalogue) -> None:
        # Every replica shows the same numbers of the database: take the max, never the sum.
        self.batches = catalogue.gauge(
            "sirenade_batches", "Batches that have not ended, by how far they are.", ["state"]
        )
        self.batch_texts = catalogue.gauge(
            "sirenade_batch_texts", "Texts that wait for a batch or are in one.", ["state"]
        )
        for state in BATCH_STATES:
            self.batches.labels(state=state)
        for state in ("waiting", *BATCH_STATES):
            self.batch_texts.labels(state=state)
        self.batches_finished = catalogue.counter(
            "sirenade_batches_finished", "Batches by how they ended.", state=BATCH_ENDS
        )

    def declare_provider(self, provider: str) -> None:
        """Create the children of a chat server at zero."""
        for outcome in CHAT_OUTCOMES:
            self.chat_calls.labels(provider=provider, outcome=outcome)
        for kind in TOKEN_KINDS:
            self.chat_tokens.labels(provider=provider, kind=kind)
        self.chat_call_seconds.labels(provider=provider)
        self.chat_cost_euros.labels(provider=provider)
        self.gate_pauses.labels(provider=provider)

    def declare_metered(self, provider: str) -> None:
        """Create the children of a provider whose calls are metered, at zero."""
        self.provider_wait_seconds.labels(provider=provider)

    def declare_reasons(self, reasons: Iterable[str]) -> None:
        """Create the children of the reasons for which a text can be rejected, at zero."""
        for reason in reasons:
            self.avis_rejections.labels(reason=reason)
