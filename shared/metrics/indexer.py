"""The metrics of the portal's indexer."""

from shared.metrics.catalogue import Catalogue

WEBHOOK_OUTCOMES = ("delivered", "refused", "unreachable")
DOCUMENT_RESULTS = ("put", "emptied", "refused")


class IndexerMetrics:
    def _add_indexer(self, new: Catalogue) -> None:
        # Zero where the index has read all changes; alert on minutes.
        self.index_lag_seconds = new.gauge(
            "sirenade_index_lag_seconds",
            "Age of the oldest change of a page that the index has not read.",
            "shard",
        )
        # It equals the lag where a transaction is open, and stays near zero where none is.
        self.page_changes_held_seconds = new.gauge(
            "sirenade_page_changes_held_seconds",
            "Age of the oldest change of a page that an open transaction holds back from readers.",
            "shard",
        )
        self.index_entries = new.gauge(
            "sirenade_index_entries", "Entries of the index, as PostgreSQL estimates them.", "shard"
        )
        self.elasticsearch_lag_seconds = new.gauge(
            "sirenade_elasticsearch_lag_seconds",
            "Age of the oldest change of a page that Elasticsearch has not confirmed.",
            "shard",
        )
        self.elasticsearch_documents = new.counter(
            "sirenade_elasticsearch_documents",
            "Documents by what became of them; one that cannot be stored is not found there.",
            result=DOCUMENT_RESULTS,
        )
        self.index_entries_put = new.counter(
            "sirenade_index_entries_put", "Entries that were written."
        )
        self.index_entries_taken = new.counter(
            "sirenade_index_entries_taken", "Entries that were taken away, or replaced."
        )
        self.webhook_deliveries = new.counter(
            "sirenade_webhook_deliveries",
            "Messages to receivers of changes by what came of them.",
            outcome=WEBHOOK_OUTCOMES,
        )
        # A receiver that a person has paused does not count in any of these.
        self.webhook_paused_receivers = new.gauge(
            "sirenade_webhook_paused_receivers",
            "Receivers of changes that the sender has given up: gone, or silent for days.",
        )
        self.webhook_oldest_undelivered_seconds = new.gauge(
            "sirenade_webhook_oldest_undelivered_seconds",
            "Age of the oldest change that a receiver was not told.",
        )
        self.webhook_failing_seconds = new.gauge(
            "sirenade_webhook_failing_seconds",
            "Time for which the receiver of changes that fails longest has taken no message.",
        )
