"""Slots of jobs in PostgreSQL: one row for a job and the time at which it was due.

The row is unique and held under a lease, so that many operators run a slot once. A job's work and
the end of its slot are one transaction, so that a kill in between changes nothing.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, text

from shared.errors import SirenadeError

_TAKE = text("""
    INSERT INTO job_slots AS s (job, slot, status, lease_until, token)
    VALUES (:job, :slot, 'running', now() + make_interval(secs => :lease_seconds), :token)
    ON CONFLICT (job, slot) DO UPDATE SET
      status = 'running', lease_until = excluded.lease_until, token = excluded.token,
      attempts = s.attempts + 1, started_at = now(), finished_at = NULL
    WHERE s.status = 'running' AND s.lease_until < now()
       OR s.status = 'failed' AND s.next_attempt_at <= now()
    RETURNING attempts
""")
_FINISH = text("""
    UPDATE job_slots SET status = 'done', result = :result, is_fault = :is_fault, error = NULL,
      lease_until = NULL, next_attempt_at = NULL, finished_at = clock_timestamp()
    WHERE job = :job AND slot = :slot AND token = :token AND status = 'running'
""")
_FAIL = text("""
    UPDATE job_slots SET status = 'failed', error = :error, lease_until = NULL,
      next_attempt_at = now() + make_interval(secs => :delay_seconds),
      finished_at = clock_timestamp()
    WHERE job = :job AND slot = :slot AND token = :token AND status = 'running'
""")
_SEE = text("""
    INSERT INTO jobs (job, schedule, next_at) VALUES (:job, :schedule, :next_at)
    ON CONFLICT (job) DO UPDATE SET
      schedule = excluded.schedule, next_at = excluded.next_at, seen_at = now()
""")
_LAST_SUCCESS = text("""
    SELECT job, extract(epoch FROM max(finished_at))::float AS at
    FROM job_slots WHERE status = 'done' GROUP BY job
""")
_LIST = text("""
    SELECT j.job, j.schedule, s.slot AS last,
      CASE WHEN s.is_fault THEN 'done, look' ELSE s.status END AS status, s.attempts,
      s.started_at, s.finished_at, coalesce(s.error, s.result) AS result,
      s.next_attempt_at AS tried_again_at, j.next_at AS next, j.seen_at
    FROM jobs j LEFT JOIN LATERAL (
      SELECT * FROM job_slots WHERE job = j.job ORDER BY slot DESC LIMIT 1) s ON true
    ORDER BY j.job
""")
# Work that goes on all the time, in the columns of the list above.
_LIST_WITHOUT_SLOTS = text("""
    SELECT 'dead letters' AS job, max(archived_at) AS last, 'done' AS status,
      CASE count(*) FILTER (WHERE replayed_at IS NULL)
        WHEN 0 THEN 'none waits' WHEN 1 THEN '1 waits'
        ELSE count(*) FILTER (WHERE replayed_at IS NULL) || ' wait' END AS result,
      'as they come' AS next
    FROM dead_letters
    UNION ALL
    SELECT 'sizes', now(), 'done',
      pg_size_pretty(pg_database_size(current_database())) || ' in the database', 'at each scrape'
""")
_PURGE = text("""
    DELETE FROM job_slots WHERE started_at < now() - make_interval(days => :days)
""")


class FaultFound(str):
    """The result of a job that is done, and found what a person must look at."""

    __slots__ = ()


class SlotLost(SirenadeError):
    """Raised when the lease ran out and another process took the slot: roll the work back."""


@dataclass(frozen=True)
class Taken:
    """The right to run a job for a slot, until its lease is over."""

    job: str
    slot: str
    token: uuid.UUID
    attempts: int

    @property
    def key(self) -> dict[str, object]:
        return {"job": self.job, "slot": self.slot, "token": self.token}


def take(connection: Connection, job: str, due: datetime, *, lease_seconds: float) -> Taken | None:
    """Take a slot that is new, whose process died, or that is due again; None where it is not."""
    slot, token = due.strftime("%Y-%m-%dT%H:%MZ"), uuid.uuid4()
    attempts = connection.execute(
        _TAKE, {"job": job, "slot": slot, "token": token, "lease_seconds": lease_seconds}
    ).scalar_one_or_none()
    return None if attempts is None else Taken(job, slot, token, attempts)


def finish(connection: Connection, taken: Taken, result: str) -> None:
    """Mark the slot as done. Raises SlotLost where another process has it."""
    found = {"result": str(result), "is_fault": isinstance(result, FaultFound)}
    if connection.execute(_FINISH, {**taken.key, **found}).rowcount == 0:
        raise SlotLost(f"the slot {taken.slot} of {taken.job} was taken by another process")


def fail(connection: Connection, taken: Taken, error: str, *, delay_seconds: float) -> None:
    """Mark the slot as failed, unless another process has it."""
    connection.execute(_FAIL, {**taken.key, "error": error, "delay_seconds": delay_seconds})


def see(connection: Connection, job: str, schedule: str, next_at: datetime) -> None:
    """Record that an operator looks after the job."""
    connection.execute(_SEE, {"job": job, "schedule": schedule, "next_at": next_at})


def last_successes(connection: Connection) -> dict[str, float]:
    """Return when each job was last done, in seconds since the epoch."""
    return {row.job: row.at for row in connection.execute(_LAST_SUCCESS)}


def listing(connection: Connection) -> Sequence[RowMapping]:
    """Return every job that an operator has looked after, with its last and its next run."""
    return connection.execute(_LIST).mappings().all()


def listing_without_slots(connection: Connection) -> Sequence[RowMapping]:
    """Return two rows of work without slots: writers archive letters, the exporter reads sizes."""
    return connection.execute(_LIST_WITHOUT_SLOTS).mappings().all()


def purge(connection: Connection, *, older_than_days: int) -> int:
    return connection.execute(_PURGE, {"days": older_than_days}).rowcount
