"""Batches and their lines in the database of their avis.

A batch that is looked at is put off by `next_at`, as a message is hidden while somebody works on
it: where that one dies, another takes it up. Nothing here waits for a server.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, text

from services.reviewer import statements
from services.reviewer.judging import Claim
from services.reviewer.providers import StructuredOutput

GRACE_SECONDS = 7200
"""After a batch should have ended, until its avis are due again."""

# Of a line that waits: a paused run may be resumed.
_WAIT_SECONDS = 86_400

_PARK = text("""
    WITH new AS (
      SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS new(
        avis_id bigint, claim_token uuid, provider text, asks smallint, reasons text[])),
    held AS (
      SELECT avis.id FROM avis JOIN new ON new.avis_id = avis.id
      WHERE avis.claim_token = new.claim_token AND outcome = 'pending'
      ORDER BY avis.id FOR UPDATE OF avis),
    kept AS (
      UPDATE avis SET
        published_at = NULL, attempts = 0, updated_at = clock_timestamp(),
        lease_until = clock_timestamp() + make_interval(secs => :lease_seconds)
      FROM held WHERE avis.id = held.id
      RETURNING avis.id)
    INSERT INTO review_batch_lines (avis_id, claim_token, provider, asks, reasons)
    SELECT avis_id, claim_token, provider, asks, reasons FROM new JOIN kept ON kept.id = avis_id
    RETURNING avis_id
""")
_KEEP = text("""
    UPDATE avis SET lease_until = clock_timestamp() + make_interval(secs => :seconds)
    FROM (
      SELECT a.id FROM avis a JOIN review_batch_lines l ON l.avis_id = a.id
      WHERE l.batch_id = :batch AND l.claim_token = a.claim_token AND a.outcome = 'pending'
      ORDER BY a.id FOR UPDATE OF a) held
    WHERE avis.id = held.id
""")
_COLUMNS = """id, key, provider, model, prompt_version, structured_output, state, remote_id, texts,
    answered, cost_eur, spent_eur, failures, created_at, submit_begun_at, submitted_at, expires_at,
    expires_at + make_interval(secs => :grace) < clock_timestamp() AS overdue"""
_TAKE = text(f"""
    UPDATE review_batches SET next_at = clock_timestamp() + make_interval(secs => :lease)
    WHERE id = (
      SELECT id FROM review_batches
      WHERE finished_at IS NULL AND next_at <= clock_timestamp() AND (provider = :provider
        OR expires_at + make_interval(secs => :grace) < clock_timestamp())
      ORDER BY next_at LIMIT 1
      FOR UPDATE SKIP LOCKED)
    RETURNING {_COLUMNS}
""")  # noqa: S608  # made of constants only
_POSTPONE = text("""
    UPDATE review_batches SET
      next_at = clock_timestamp() + make_interval(secs => :seconds),
      failures = CASE WHEN :failed THEN failures + 1 ELSE 0 END
    WHERE id = :id AND finished_at IS NULL
""")
_BEGIN = text("""
    UPDATE review_batches SET
      submit_begun_at = clock_timestamp(),
      next_at = clock_timestamp() + make_interval(secs => :lease)
    WHERE id = :id AND state = 'ready' AND submit_begun_at IS NOT DISTINCT FROM :seen
""")
_NOT_BEGUN = text("UPDATE review_batches SET submit_begun_at = NULL WHERE id = :id")
_RENEW = text("""
    UPDATE review_batches SET next_at = clock_timestamp() + make_interval(secs => :lease)
    WHERE id = :id
""")
_WAIT_ON = text("""
    UPDATE avis SET lease_until = clock_timestamp() + make_interval(secs => :lease_seconds)
    WHERE id = ANY(CAST(:ids AS bigint[])) AND claim_token = ANY(CAST(:tokens AS uuid[]))
""")
# By avis and token: what has been claimed again since is somebody else's, or another line's.
_GIVE_BACK = text("""
    WITH theirs AS (
      SELECT avis.id FROM avis JOIN json_to_recordset(CAST(:rows AS json)) AS line(
        avis_id bigint, claim_token uuid)
        ON line.avis_id = avis.id AND line.claim_token = avis.claim_token
      WHERE outcome = 'pending'
      ORDER BY avis.id FOR UPDATE OF avis)
    UPDATE avis SET
      published_at = NULL, claim_token = NULL, lease_until = NULL, updated_at = clock_timestamp()
    FROM theirs WHERE avis.id = theirs.id
""")
_SUM = text("SELECT answered, spent_eur FROM review_batches WHERE id = :id")
_SUBMITTED = text("""
    UPDATE review_batches SET
      state = 'submitted', remote_id = :remote_id, failures = 0, submitted_at = clock_timestamp(),
      expires_at = clock_timestamp() + make_interval(hours => :hours),
      next_at = clock_timestamp() + make_interval(secs => :seconds)
    WHERE id = :id AND state = 'ready'
""")
_FINISH = text("""
    UPDATE review_batches SET state = :state, finished_at = clock_timestamp()
    WHERE id = :id AND finished_at IS NULL
""")
_LINES = text("""
    SELECT id, avis_id, claim_token, asks, reasons, facts_hash, tokens_in, cost_eur
    FROM review_batch_lines
    WHERE batch_id = :batch AND id > :after
      AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY(CAST(:ids AS bigint[])))
    ORDER BY id LIMIT :most
""")
_LEFT = text("""
    SELECT count(*) AS lines, coalesce(sum(cost_eur), 0) AS cost_eur
    FROM review_batch_lines WHERE batch_id = :batch
""")
_DROP = text("DELETE FROM review_batch_lines WHERE id = ANY(CAST(:ids AS bigint[])) RETURNING id")
_AGAIN = text("""
    UPDATE review_batch_lines l SET
      batch_id = NULL, facts_hash = NULL, parked_at = clock_timestamp(), asks = l.asks + 1,
      reasons = l.reasons || new.reasons
    FROM json_to_recordset(CAST(:rows AS json)) AS new(id bigint, reasons text[])
    WHERE l.id = new.id AND l.batch_id = :batch
    RETURNING l.id
""")
_RELEASE = text("""
    UPDATE review_batch_lines SET batch_id = NULL, facts_hash = NULL WHERE batch_id = :batch
""")
# Not those that were refused before: another provider would begin again.
_TAKE_WAITING = text("""
    SELECT id, avis_id, claim_token, asks, reasons, facts_hash, tokens_in, cost_eur
    FROM review_batch_lines WHERE batch_id IS NULL AND provider = :provider AND asks = 0
    ORDER BY parked_at LIMIT 1000
    FOR UPDATE SKIP LOCKED
""")
_COUNT = text("""
    UPDATE review_batches SET
      answered = answered + :answered, spent_eur = spent_eur + :spent,
      next_at = greatest(next_at, clock_timestamp() + make_interval(secs => :lease))
    WHERE id = :id
""")


class Overtaken(Exception):
    """Raised where another process has done this already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
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
    answered: int
    cost_eur: Decimal
    spent_eur: Decimal
    failures: int
    created_at: dt.datetime
    submit_begun_at: dt.datetime | None
    submitted_at: dt.datetime | None
    expires_at: dt.datetime
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of `review_batch_lines`; `asks` were answered before this one."""

    id: int
    avis_id: int
    claim_token: uuid.UUID
    asks: int
    reasons: tuple[str, ...]
    facts_hash: str | None = None
    tokens_in: int = 0
    cost_eur: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Parked:
    """An avis that waits for a batch; `reasons` are those against its `asks` texts before."""

    claim: Claim
    provider: str
    asks: int
    reasons: tuple[str, ...]


def park(engine: Engine, parked: Iterable[Parked]) -> set[int]:
    """Let avis wait, and return those whose claim still stood."""
    rows = [
        {
            "avis_id": each.claim.avis_id,
            "claim_token": str(each.claim.token),
            "provider": each.provider,
            "asks": each.asks,
            "reasons": list(each.reasons),
        }
        for each in parked
    ]
    with engine.begin() as connection:
        sent = {"rows": statements.to_rows(rows), "lease_seconds": _WAIT_SECONDS}
        return set(connection.execute(_PARK, sent).scalars())


def take(engine: Engine, provider: str, *, lease_seconds: float) -> Job | None:
    """One that is to be looked at now, for so long; or one that nobody looks at any more."""
    with engine.begin() as connection:
        values = {"provider": provider, "lease": lease_seconds, "grace": GRACE_SECONDS}
        row = connection.execute(_TAKE, values).mappings().one_or_none()
    return None if row is None else Job(**row)


def postpone(engine: Engine, job: Job, seconds: float, *, failed: bool = False) -> None:
    _execute(engine, _POSTPONE, id=job.id, seconds=seconds, failed=failed)


def begin_submit(engine: Engine, job: Job, *, lease_seconds: float) -> None:
    """From here on the server may have it. Raises Overtaken where somebody else has begun."""
    with engine.begin() as connection:
        values = {"id": job.id, "seen": job.submit_begun_at, "lease": lease_seconds}
        _require(connection.execute(_BEGIN, values).rowcount, 1)


def note_not_submitted(engine: Engine, job: Job) -> None:
    """The server has said that it has not taken it."""
    _execute(engine, _NOT_BEGUN, id=job.id)


def renew(engine: Engine, job: Job, *, lease_seconds: float) -> None:
    _execute(engine, _RENEW, id=job.id, lease=lease_seconds)


def note_submitted(
    engine: Engine, job: Job, remote_id: str, *, hours: int, next_seconds: float
) -> None:
    with engine.begin() as connection:
        values = {"id": job.id, "remote_id": remote_id, "hours": hours, "seconds": next_seconds}
        connection.execute(_SUBMITTED, values)
        keep_claims(connection, job.id, hours=hours)


def keep_claims(connection: Connection, batch_id: int, *, hours: int) -> None:
    """Hold the avis of a batch until it must have ended."""
    seconds = hours * 3600 + GRACE_SECONDS
    connection.execute(_KEEP, {"batch": batch_id, "seconds": seconds})


def read_lines(
    connection: Connection,
    batch_id: int,
    *,
    ids: Sequence[int] | None = None,
    after: int = 0,
    most: int = 1000,
) -> list[Line]:
    """Lines of a batch that have no answer yet, in order."""
    wanted = None if ids is None else list(ids)
    values = {"batch": batch_id, "ids": wanted, "after": after, "most": most}
    return [line_of(row) for row in connection.execute(_LINES, values).mappings()]


def line_of(row: Any) -> Line:
    return Line(
        **{
            **row,
            "reasons": tuple(row["reasons"]),
            "claim_token": uuid.UUID(str(row["claim_token"])),
        }
    )


def ask_again(
    connection: Connection, job: Job, refused: Sequence[tuple[Line, Sequence[str]]]
) -> None:
    """Let these lines wait for another batch, each with its reasons. Raises Overtaken."""
    rows = [{"id": line.id, "reasons": list(reasons)} for line, reasons in refused]
    again = {"rows": statements.to_rows(rows), "batch": job.id}
    _require(connection.execute(_AGAIN, again).rowcount, len(rows))
    held = {
        "ids": [line.avis_id for line, _ in refused],
        "tokens": [str(line.claim_token) for line, _ in refused],
    }
    connection.execute(_WAIT_ON, {**held, "lease_seconds": _WAIT_SECONDS})


def drop(connection: Connection, line_ids: Sequence[int]) -> None:
    """Raises Overtaken."""
    _require(connection.execute(_DROP, {"ids": list(line_ids)}).rowcount, len(line_ids))


def give_back(connection: Connection, lines: Sequence[Line]) -> None:
    """Let the relay send their avis again, where they are still theirs."""
    held = [{"avis_id": line.avis_id, "claim_token": str(line.claim_token)} for line in lines]
    statements.execute_rows(connection, _GIVE_BACK, held)


def release_waiting(engine: Engine, provider: str) -> None:
    """Give back what waits for a provider that is out of use: others may write it."""
    with engine.begin() as connection:
        found = connection.execute(_TAKE_WAITING, {"provider": provider}).mappings()
        lines = [line_of(row) for row in found]
        give_back(connection, lines)
        drop(connection, [line.id for line in lines])


def count(
    connection: Connection, job: Job, *, answered: int, spent_eur: Decimal, lease_seconds: float
) -> None:
    values = {"id": job.id, "answered": answered, "spent": spent_eur, "lease": lease_seconds}
    connection.execute(_COUNT, values)


@dataclass(frozen=True, slots=True)
class Sum:
    """`left_eur` is the most that the lines without an answer can cost."""

    answered: int
    spent_eur: Decimal
    left: int
    left_eur: Decimal


def read_sum(engine: Engine, job: Job) -> Sum:
    with engine.connect() as connection:
        done = connection.execute(_SUM, {"id": job.id}).one()
        left = connection.execute(_LEFT, {"batch": job.id}).one()
    return Sum(done.answered, done.spent_eur, left.lines, left.cost_eur)


def finish(engine: Engine, job: Job, state: str, *, keep_lines: bool = False) -> None:
    """End a batch: avis without an answer are due again, or wait on with `keep_lines`."""
    with engine.begin() as connection:
        if keep_lines:
            connection.execute(_RELEASE, {"batch": job.id})
        while lines := read_lines(connection, job.id):
            give_back(connection, lines)
            drop(connection, [line.id for line in lines])
        connection.execute(_FINISH, {"id": job.id, "state": state})


def _require(done: int, wanted: int) -> None:
    if done != wanted:
        raise Overtaken


def _execute(engine: Engine, statement: Any, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(statement, values)
