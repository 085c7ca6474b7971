"""The rows of batches, in the database of their avis.

A process that takes a batch moves its `next_at` ahead, as a queue hides a message from others:
when the process dies, another one takes the batch up. Nothing here waits for a server.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, Engine, TextClause, text

from services.reviewer.batches.lines import (
    GRACE_SECONDS,
    drop,
    keep_claims,
    read_lines,
    release,
    require,
)
from services.reviewer.providers.settings import Batch, StructuredOutput

_NEXT = "next_at = clock_timestamp() + make_interval(secs => :seconds)"
_TAKE = text(f"""
    UPDATE review_batches SET {_NEXT}
    WHERE id = (
      SELECT id FROM review_batches
      WHERE finished_at IS NULL AND next_at <= clock_timestamp() AND (provider = :provider
        OR expires_at + make_interval(secs => :grace) < clock_timestamp())
      ORDER BY next_at LIMIT 1
      FOR UPDATE SKIP LOCKED)
    RETURNING id, key, provider, model, prompt_version, structured_output, state, remote_id, texts,
      cost_eur, failures, created_at, submit_begun_at, submitted_at,
      expires_at + make_interval(secs => :grace) < clock_timestamp() AS overdue
""")
_SCHEDULE = text(f"""
    UPDATE review_batches SET {_NEXT}, failures = CASE WHEN :failed THEN failures + 1 ELSE 0 END
    WHERE id = :id AND finished_at IS NULL
""")
_BEGIN = text(f"""
    UPDATE review_batches SET submit_begun_at = clock_timestamp(), {_NEXT}
    WHERE id = :id AND state = 'ready' AND submit_begun_at IS NOT DISTINCT FROM :seen
""")
_NOT_BEGUN = text("UPDATE review_batches SET submit_begun_at = NULL WHERE id = :id")
_RENEW = text(f"UPDATE review_batches SET {_NEXT} WHERE id = :id")
_TOTALS = text("""
    SELECT answered, accepted, spent_eur, (
      SELECT coalesce(sum(cost_eur), 0) FROM review_batch_lines WHERE batch_id = :id) AS left_eur
    FROM review_batches WHERE id = :id
""")
_SUBMITTED = text(f"""
    UPDATE review_batches SET
      state = 'submitted', remote_id = :remote_id, failures = 0, submitted_at = clock_timestamp(),
      expires_at = clock_timestamp() + make_interval(hours => :hours), {_NEXT}
    WHERE id = :id AND state = 'ready'
""")
_FINISH = text("""
    UPDATE review_batches SET
      state = :state, finished_at = clock_timestamp(), failed_because = :because
    WHERE id = :id AND finished_at IS NULL
""")
_RELEASE = text("""
    UPDATE review_batch_lines SET batch_id = NULL, facts_hash = NULL WHERE batch_id = :batch
""")
_COUNT = text("""
    UPDATE review_batches SET
      answered = answered + :answered, accepted = accepted + :accepted,
      spent_eur = spent_eur + :spent,
      next_at = greatest(next_at, clock_timestamp() + make_interval(secs => :lease))
    WHERE id = :id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJob:
    """A row of `review_batches`."""

    id: int
    key: uuid.UUID
    provider: str
    model: str
    prompt_version: str
    structured_output: StructuredOutput
    state: str
    remote_id: str | None
    texts: int
    cost_eur: Decimal
    failures: int
    created_at: dt.datetime
    submit_begun_at: dt.datetime | None
    submitted_at: dt.datetime | None
    overdue: bool


def take(engine: Engine, provider: str, *, lease_seconds: float) -> BatchJob | None:
    """Take a batch whose time has come, or one of any provider that is overdue."""
    with engine.begin() as connection:
        values = {"provider": provider, "seconds": lease_seconds, "grace": GRACE_SECONDS}
        row = connection.execute(_TAKE, values).mappings().one_or_none()
    return None if row is None else BatchJob(**row)


def schedule(engine: Engine, job: BatchJob, seconds: float, *, failed: bool = False) -> None:
    """Have the batch taken again after this time; count failures in a row."""
    _execute(engine, _SCHEDULE, id=job.id, seconds=seconds, failed=failed)


def begin_submit(engine: Engine, job: BatchJob, *, lease_seconds: float) -> None:
    """Note that the server may have the batch from now on.

    Raises Overtaken when another process has begun.
    """
    with engine.begin() as connection:
        values = {"id": job.id, "seen": job.submit_begun_at, "seconds": lease_seconds}
        require(connection.execute(_BEGIN, values).rowcount, 1)


def note_not_submitted(engine: Engine, job: BatchJob) -> None:
    """Note that the server has refused the batch."""
    _execute(engine, _NOT_BEGUN, id=job.id)


def renew(engine: Engine, job: BatchJob, *, lease_seconds: float) -> None:
    """Keep the batch from other processes for another lease."""
    _execute(engine, _RENEW, id=job.id, seconds=lease_seconds)


def note_submitted(engine: Engine, job: BatchJob, remote_id: str, batch: Batch) -> None:
    values = {"remote_id": remote_id, "hours": batch.window_hours, "seconds": batch.poll_seconds}
    with engine.begin() as connection:
        connection.execute(_SUBMITTED, {"id": job.id, **values})
        keep_claims(connection, job.id, hours=batch.window_hours)


@dataclass(frozen=True, slots=True)
class LineTotals:
    """The sums of lines whose answers are stored together."""

    answered: int
    accepted: int
    spent_eur: Decimal


def count(connection: Connection, job: BatchJob, lines: LineTotals, lease_seconds: float) -> None:
    counted = {"answered": lines.answered, "accepted": lines.accepted, "spent": lines.spent_eur}
    connection.execute(_COUNT, {"id": job.id, **counted, "lease": lease_seconds})


@dataclass(frozen=True, slots=True)
class BatchTotals:
    """`left_eur` is the most that lines without an answer can cost."""

    answered: int
    spent_eur: Decimal
    left_eur: Decimal
    accepted: int = 0


def read_totals(engine: Engine, job: BatchJob) -> BatchTotals:
    with engine.connect() as connection:
        return BatchTotals(**connection.execute(_TOTALS, {"id": job.id}).mappings().one())


def finish(
    engine: Engine,
    job: BatchJob,
    state: str,
    *,
    because: str | None = None,
    keep_lines: bool = False,
) -> None:
    """End a batch: avis without an answer are due again; with `keep_lines` they wait on.

    `because` is the server's code for what failed.
    """
    with engine.begin() as connection:
        if keep_lines:
            connection.execute(_RELEASE, {"batch": job.id})
        while lines := read_lines(connection, job.id):
            release(connection, lines)
            drop(connection, [line.id for line in lines])
        connection.execute(_FINISH, {"id": job.id, "state": state, "because": because})


def _execute(engine: Engine, statement: TextClause, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(statement, values)
