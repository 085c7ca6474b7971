"""The metrics of a reviewer: its texts, and the chat servers that it asks.

The providers are those of the settings file. The exporter shows the budget, which all replicas
share.
"""

from collections.abc import Iterable

from shared.metrics.catalogue import Catalogue

AVIS_OUTCOMES = ("accepted", "rejected", "discarded", "skipped", "postponed")
NEAR_ENDS = ("reworded", "kept")
FALLBACK_CAUSES = ("rejected", "late", "out_of_use")
CHAT_OUTCOMES = ("answered", "overbilled", "throttled", "failed", "refused", "bad_request")
# `cached` tokens are among `in`.
TOKEN_KINDS = ("in", "cached", "out")
BATCH_STATES = ("ready", "submitted")
BATCH_ENDS = ("completed", "expired", "cancelled", "failed", "lost")


class ReviewerMetrics:
    def _add_reviewer(self, new: Catalogue) -> None:
        self.avis_reviewed = new.counter(
            "sirenade_avis_reviewed", "Avis by what became of them.", outcome=AVIS_OUTCOMES
        )
        # Reason codes are a closed list of the validator; `declare_reasons` makes the children.
        self.avis_rejections = new.counter(
            "sirenade_avis_rejections", "Attempts rejected by the validator, by reason.", "reason"
        )
        self.avis_near = new.counter(
            "sirenade_avis_near",
            "Texts that read like a neighbour's, by how they were stored.",
            end=NEAR_ENDS,
        )
        self.avis_attempt_seconds = new.histogram(
            "sirenade_avis_attempt_seconds", "Duration of one attempt: generation and validation."
        )
        # Busy generators divided by generators are the saturation of this process.
        self.generators = new.gauge("sirenade_generators", "Generators that this process has.")
        self.generators_busy = new.gauge(
            "sirenade_generators_busy", "Generators of this process at work."
        )
        self.avis_published = new.counter(
            "sirenade_avis_published", "Avis that the relay handed to RabbitMQ."
        )
        self.renewals_published = new.counter(
            "sirenade_renewals_published", "Those of them whose former text stands meanwhile."
        )
        self.avis_unclaimed = new.counter(
            "sirenade_avis_unclaimed", "Avis sent again because nobody had begun with them."
        )
        self.avis_fallbacks = new.counter(
            "sirenade_avis_fallbacks",
            "Avis that a template wrote although chat servers are set up, by why.",
            cause=FALLBACK_CAUSES,
        )
        self._add_chat(new)
        self._add_gate(new)
        self._add_batches(new)

    def _add_chat(self, new: Catalogue) -> None:
        calls = "Calls to chat servers by what came of them."
        self.chat_calls = new.counter("sirenade_chat_calls", calls, "provider", "outcome")
        self.chat_call_seconds = new.histogram(
            "sirenade_chat_call_seconds",
            "Duration of a call to a chat server, body included.",
            "provider",
        )
        # The tokens as billed, those of calls without an answer included.
        tokens = "Tokens of calls to chat servers; cached ones are among those that went in."
        self.chat_tokens = new.counter("sirenade_chat_tokens", tokens, "provider", "kind")
        # It serves for the rate of spending; sirenade_budget_spent_euros is the total.
        self.chat_cost_euros = new.counter(
            "sirenade_chat_cost_euros", "Cost of calls to chat servers.", "provider"
        )

    def _add_gate(self, new: Catalogue) -> None:
        self.gate_size = new.gauge(
            "sirenade_gate_size", "Calls at once that are let in.", "provider"
        )
        self.gate_inside = new.gauge("sirenade_gate_inside", "Calls at work.", "provider")
        # A burst of 429s is one pause; chat_calls counts each 429.
        self.gate_pauses = new.counter(
            "sirenade_gate_pauses", "Bursts of 429 that paused all calls.", "provider"
        )
        states = "0: in use, 1: one call finds out, 2: out of use."
        self.circuit_state = new.gauge("sirenade_circuit_state", states, "provider")
        doubts = "0: trusted, 1: one text finds out, 2: doubted, for its texts or its bill."
        self.trust_state = new.gauge("sirenade_trust_state", doubts, "provider")
        self.provider_wait_seconds = new.histogram(
            "sirenade_provider_wait_seconds",
            "Time that a call waited for the provider's limits and the budget.",
            "provider",
        )

    def _add_batches(self, new: Catalogue) -> None:
        # Every replica shows the same numbers of the database: take the max, never the sum.
        batches = "Batches that have not ended, by how far they are."
        self.batches = new.gauge("sirenade_batches", batches, state=BATCH_STATES)
        texts = "Texts that wait for a batch or are in one."
        self.batch_texts = new.gauge(
            "sirenade_batch_texts", texts, state=("waiting", *BATCH_STATES)
        )
        self.batches_finished = new.counter(
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
