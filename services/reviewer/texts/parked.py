"""Parked avis wait for a batch: they keep their claim, with a lease as long as the wait."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Engine, text

from services.reviewer import statements
from services.reviewer.texts.rulings import Claim

# A paused run may be resumed within a day.
WAIT_SECONDS = 86_400

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


@dataclass(frozen=True, slots=True)
class Parked:
    """An avis that waits for a batch; `reasons` stand against its `asks` earlier texts."""

    claim: Claim
    provider: str
    asks: int
    reasons: tuple[str, ...]


def park(engine: Engine, parked: Iterable[Parked]) -> set[int]:
    """Park avis, and return the ids of those whose claim still stood."""
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
        sent = {"rows": statements.to_rows(rows), "lease_seconds": WAIT_SECONDS}
        return set(connection.execute(_PARK, sent).scalars())
