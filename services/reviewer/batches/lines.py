"""The lines of batches, and the claims of their avis."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, text

from services.reviewer import statements
from services.reviewer.texts.parked import WAIT_SECONDS
from shared.avis import RESET
from shared.errors import SirenadeError

GRACE_SECONDS = 7200
"""Time between the end that a batch should have and the return of its avis."""

_KEEP = text("""
    UPDATE avis SET lease_until = clock_timestamp() + make_interval(secs => :seconds)
    FROM (
      SELECT a.id FROM avis a JOIN review_batch_lines l ON l.avis_id = a.id
      WHERE l.batch_id = :batch AND l.claim_token = a.claim_token AND a.outcome = 'pending'
      ORDER BY a.id FOR UPDATE OF a) held
    WHERE avis.id = held.id
""")
# An avis that was claimed again has another token: it stays with its claimer.
_RELEASE = text(f"""
    WITH held AS (
      SELECT avis.id FROM avis JOIN json_to_recordset(CAST(:rows AS json)) AS line(
        avis_id bigint, claim_token uuid)
        ON line.avis_id = avis.id AND line.claim_token = avis.claim_token
      WHERE outcome = 'pending'
      ORDER BY avis.id FOR UPDATE OF avis)
    UPDATE avis SET {RESET}
    FROM held WHERE avis.id = held.id
""")
SELECT_LINES = """
    SELECT id, avis_id, claim_token, asks, reasons, facts_hash, tokens_in, cost_eur
    FROM review_batch_lines
"""
_LINES = text(f"""
    {SELECT_LINES} WHERE batch_id = :batch AND id > :after
      AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY(CAST(:ids AS bigint[])))
    ORDER BY id LIMIT :most
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
# Lines with an answer stay: another provider would begin again without it.
_TAKE_WAITING = text(f"""
    {SELECT_LINES} WHERE batch_id IS NULL AND provider = :provider AND asks = 0
    ORDER BY parked_at LIMIT 1000
    FOR UPDATE SKIP LOCKED
""")
_FORGET = text("""
    UPDATE review_batch_lines l SET facts_hash = NULL
    FROM avis a
    WHERE l.batch_id = :batch AND a.id = l.avis_id AND l.facts_hash IS NOT NULL
      AND l.claim_token IS DISTINCT FROM a.claim_token
""")


class Overtaken(SirenadeError):
    """Raised when another process has done the same already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine:
    """A row of `review_batch_lines`; `asks` is the number of its earlier answers."""

    id: int
    avis_id: int
    claim_token: uuid.UUID
    asks: int
    reasons: tuple[str, ...]
    facts_hash: str | None = None
    tokens_in: int = 0
    cost_eur: Decimal = Decimal(0)


def keep_claims(connection: Connection, batch_id: int, *, hours: int) -> None:
    """Extend the claims of a batch's avis until the batch must have ended."""
    seconds = hours * 3600 + GRACE_SECONDS
    connection.execute(_KEEP, {"batch": batch_id, "seconds": seconds})


def read_lines(
    connection: Connection,
    batch_id: int,
    *,
    ids: Sequence[int] | None = None,
    after: int = 0,
    most: int = 1000,
) -> list[BatchLine]:
    """Return lines of a batch without an answer, in the order of their ids."""
    wanted = None if ids is None else list(ids)
    values = {"batch": batch_id, "ids": wanted, "after": after, "most": most}
    return [line_of(row) for row in connection.execute(_LINES, values).mappings()]


def line_of(row: Any) -> BatchLine:
    reasons, token = tuple(row["reasons"]), uuid.UUID(str(row["claim_token"]))
    return BatchLine(**{**row, "reasons": reasons, "claim_token": token})


def ask_again(
    connection: Connection, batch_id: int, refused: Sequence[tuple[BatchLine, Sequence[str]]]
) -> None:
    """Let these lines wait for another batch, each with its new reasons. Raises Overtaken."""
    rows = [{"id": line.id, "reasons": list(reasons)} for line, reasons in refused]
    again = {"rows": statements.to_rows(rows), "batch": batch_id}
    require(connection.execute(_AGAIN, again).rowcount, len(rows))
    held = {
        "ids": [line.avis_id for line, _ in refused],
        "tokens": [str(line.claim_token) for line, _ in refused],
    }
    connection.execute(statements.EXTEND, {**held, "lease_seconds": WAIT_SECONDS})


def drop(connection: Connection, line_ids: Sequence[int]) -> None:
    """Delete lines. Raises Overtaken when one of them is gone."""
    require(connection.execute(_DROP, {"ids": list(line_ids)}).rowcount, len(line_ids))


def release(connection: Connection, lines: Sequence[BatchLine]) -> None:
    """Let the relay send the avis again whose claims still stand."""
    held = [{"avis_id": line.avis_id, "claim_token": str(line.claim_token)} for line in lines]
    statements.execute_rows(connection, _RELEASE, held)


def release_waiting(engine: Engine, provider: str) -> None:
    """Release avis that wait for a provider that is out of use: other providers may write them."""
    with engine.begin() as connection:
        found = connection.execute(_TAKE_WAITING, {"provider": provider}).mappings()
        lines = [line_of(row) for row in found]
        release(connection, lines)
        drop(connection, [line.id for line in lines])


def forget_facts(engine: Engine, batch_id: int) -> None:
    """Delete the hash of facts from lines whose avis was claimed again or erased."""
    with engine.begin() as connection:
        connection.execute(_FORGET, {"batch": batch_id})


def require(done: int, wanted: int) -> None:
    """Raises Overtaken when fewer rows were changed than wanted."""
    if done != wanted:
        raise Overtaken
