"""The metrics of a writer."""

from shared.metrics.catalogue import Catalogue

ROW_OUTCOMES = ("inserted", "updated", "unchanged", "failed")


class WriterMetrics:
    def _make_writer_metrics(self, catalogue: Catalogue) -> None:
        self.rows_written = catalogue.counter(
            "sirenade_rows_written", "Establishments by what became of them.", outcome=ROW_OUTCOMES
        )
        # These slices were written already, or belong to an older GET.
        self.slices_skipped = catalogue.counter(
            "sirenade_slices_skipped",
            "Slices acknowledged without writing.",
            cause=("already_written", "superseded"),
        )
        # It covers decoding, COPY, merge, pages, due avis, receipt and commit.
        self.slice_write_seconds = catalogue.histogram(
            "sirenade_slice_write_seconds", "Duration of the transaction that writes one slice."
        )
        # INSEE added keys to its records that no column holds: read its news.
        self.unknown_keys = catalogue.counter(
            "sirenade_unknown_keys", "Unknown keys seen in INSEE's records."
        )
        self.dead_letters_archived = catalogue.counter(
            "sirenade_dead_letters_archived", "Dead letters moved from RabbitMQ to PostgreSQL."
        )
