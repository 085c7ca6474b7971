"""A scheduler whose clock the test moves, and the rows that it leaves."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, text

from services.operator.jobs.catalogue import Job, make_jobs
from services.operator.jobs.schedule import daily_at
from services.operator.jobs.scheduler import Scheduler
from services.operator.settings import OperatorSettings
from shared.clock import Clock
from shared.imports.treatments import COLLECTIONS
from shared.imports.watermarks import set_watermark
from shared.metrics import Metrics
from shared.settings import load
from tests.integration.writer.desk import Desk

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Operator:
    """A scheduler whose clock the test moves, with one job that counts its runs."""

    def __init__(self, engine: Engine, job: Job | None = None) -> None:
        self.now, self.runs, self.error = NOON, 0, None
        self.metrics = Metrics()
        self.scheduler = Scheduler(
            engine,
            (job or Job("delta", daily_at("07:45"), self._work),),
            Clock(now=lambda: self.now),
            self.metrics,
        )

    error: Exception | None

    def _work(self, connection: Connection) -> str:
        connection.execute(text("INSERT INTO oppositions VALUES (gen_random_uuid(), now(), 'ran')"))
        self.runs += 1
        if self.error is not None:
            raise self.error
        return f"run {self.runs}"

    def turn(self, *, later: timedelta | None = None) -> None:
        self.now += later or timedelta()
        self.scheduler.turn()


def slots(desk: Desk) -> list[tuple[str, str, int]]:
    return [
        (row["slot"], row["status"], row["attempts"])
        for row in desk.execute("SELECT slot, status, attempts FROM job_slots ORDER BY slot")
    ]


def kept(desk: Desk) -> int:
    """Count the commits of the job's own rows."""
    return desk.number("oppositions")


def load_register(engine: Engine) -> None:
    with engine.begin() as connection:
        for name in COLLECTIONS:
            set_watermark(connection, name, datetime(2026, 11, 20))  # noqa: DTZ001  # INSEE's time has no offset


def jobs(readers: Sequence[Engine] = (), **settings: object) -> dict[str, Job]:
    urls = {"database_url": "postgresql://x@x/x", "broker_url": "memory://"}
    made = make_jobs(load(OperatorSettings, **urls, **settings), readers=readers)
    return {job.name: job for job in made}
