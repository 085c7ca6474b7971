"""Parked avis wait for a batch: they keep their claim, with a lease as long as the wait."""

from collections.abc import Iterable

from sqlalchemy import Engine, text

from services.reviewer import statements
from services.reviewer.providers.batch_route import WaitForBatch
from services.reviewer.texts.rulings import AvisResult

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


def park(engine: Engine, results: Iterable[AvisResult]) -> set[int]:
    """Park avis that wait for a batch, and return the ids of those whose claim still stood.

    They wait after calls to other providers or none, with the reasons against the earlier texts.
    """
    rows = [
        {
            "avis_id": each.claim.avis_id,
            "claim_token": str(each.claim.token),
            "provider": each.slow_down.provider,
            "asks": len(each.attempts),
            "reasons": [reason for attempt in each.attempts for reason in attempt.reasons],
        }
        for each in results
        if isinstance(each.slow_down, WaitForBatch)
    ]
    if not rows:
        return set()
    with engine.begin() as connection:
        sent = {"rows": statements.to_rows(rows), "lease_seconds": WAIT_SECONDS}
        return set(connection.execute(_PARK, sent).scalars())
