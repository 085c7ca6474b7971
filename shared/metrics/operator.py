"""The metrics that an operator counts itself; its exporter shows those in PostgreSQL."""

from shared.metrics.catalogue import Catalogue

JOBS = ("delta", "retry", "purge", "statement", "archive", "reconcile")
JOB_OUTCOMES = ("done", "failed")


class OperatorMetrics:
    def _make_operator_metrics(self, catalogue: Catalogue) -> None:
        self.job_runs = catalogue.counter_by(
            "sirenade_job_runs",
            "Slots of scheduled jobs by what came of them.",
            ["name", "outcome"],
        )
        # Read from PostgreSQL, so that it outlives the process: alert on its age.
        self.job_last_success = catalogue.gauge(
            "sirenade_job_last_success_timestamp_seconds",
            "When each scheduled job was last done.",
            ["name"],
        )
        for name in JOBS:
            for outcome in JOB_OUTCOMES:
                self.job_runs.labels(name=name, outcome=outcome)
