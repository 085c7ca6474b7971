"""The operator's loop: run each job's latest slot that is due, unless another operator did."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from services.operator.jobs import slots
from services.operator.jobs.catalogue import Job
from services.operator.jobs.slots import SlotLost, Taken
from shared.backoff import stepped
from shared.clock import Clock
from shared.errors import SirenadeError
from shared.logs import name_of, places_of
from shared.metrics import Metrics

log = structlog.get_logger()

BACKOFF_SECONDS = (60.0, 300.0, 900.0, 3600.0)


@dataclass(frozen=True)
class Scheduler:
    """Runs jobs. Slots missed while no operator ran: only the latest of each job is run."""

    engine: Engine
    jobs: Sequence[Job]
    clock: Clock
    metrics: Metrics

    def turn(self) -> None:
        now = self.clock.now()
        for job in self.jobs:
            if self.clock.stopping.is_set():
                return
            with self.engine.begin() as connection:
                slots.see(connection, job.name, job.schedule.expression, job.schedule.next(now))
                latest = job.schedule.latest(now)
                taken = slots.take(connection, job.name, latest, lease_seconds=job.lease_seconds)
            if taken is not None:
                self._run(job, taken)
        with self.engine.connect() as connection:
            for name, at in slots.last_successes(connection).items():
                self.metrics.job_last_success.labels(name=name).set(at)

    def _run(self, job: Job, taken: Taken) -> None:
        try:
            with self.engine.begin() as connection:
                result = job.work(connection)
                slots.finish(connection, taken, result)
        except SlotLost:
            log.warning("slot lost to another operator", job=job.name, slot=taken.slot)
            return
        except Exception as error:  # noqa: BLE001  # any error is recorded and the job tried again
            delay_seconds = stepped(BACKOFF_SECONDS, taken.attempts - 1)
            with self.engine.begin() as connection:
                slots.fail(connection, taken, _words(error), delay_seconds=delay_seconds)
            self.metrics.job_runs.labels(name=job.name, outcome="failed").inc()
            log.warning(
                "job failed",
                job=job.name,
                slot=taken.slot,
                error=_words(error),
                at=places_of(error),
                again_in_seconds=delay_seconds,
            )
            return
        self.metrics.job_runs.labels(name=job.name, outcome="done").inc()
        log.info("job done", job=job.name, slot=taken.slot, result=result)


def _words(error: Exception) -> str:
    """Say the error in one line, without the values of a statement."""
    if isinstance(error, SirenadeError):
        return str(error)
    if isinstance(error, DBAPIError):
        first_line = (str(error.orig).strip().splitlines() or ["no message"])[0]
        return f"{name_of(error)}: {first_line}"
    return name_of(error)
