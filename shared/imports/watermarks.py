"""The watermarks: how far each collection of INSEE's is complete in the database.

A watermark moves only to the end of a window whose walks are all complete, never to what a clock
says (docs/adr/0005-delta.md). No watermark is later than the day on which it was set: INSEE treats
nothing in the future.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from functools import partial

import structlog
from sqlalchemy import Connection, text

from shared.clock import utc_now
from shared.days import TIME_ZONE, day_in_france, end_of
from shared.imports.treatments import COLLECTIONS, TreatmentWindow, Watermark

log = structlog.get_logger()

# An older release could set one that is later than the day on which it was set.
_BRING_BACK = text("""
    WITH days AS (
      SELECT collection, treated_until AS was,
        (moved_at AT TIME ZONE :zone)::date + time '23:59:59' AS bound
      FROM watermarks)
    UPDATE watermarks m SET treated_until = bound, made_available_at = NULL FROM days
    WHERE m.collection = days.collection AND m.treated_until > bound
    RETURNING m.collection, was, bound
""")
_READ = text("SELECT collection, treated_until, made_available_at FROM watermarks")
_SET = text("""
    INSERT INTO watermarks (collection, treated_until) VALUES (:collection, :treated_until)
    ON CONFLICT (collection) DO UPDATE SET
      treated_until = excluded.treated_until, made_available_at = NULL, moved_at = now()
""")
_RECORD = text("""
    INSERT INTO treatment_windows (run_id, collection, treated_from, treated_until,
      made_available_at)
    VALUES (:run_id, :collection, :treated_from, :treated_until, :made_available_at)
""")
# A window that begins after the watermark would leave a gap behind it: it moves nothing. Batches
# without a collection (the whole register) bring both.
_SETTLE = text("""
    WITH whole AS (
      SELECT w.run_id, w.collection, w.treated_from, w.made_available_at,
        least(w.treated_until, CAST(:end_of_today AS timestamp)) AS treated_until
      FROM treatment_windows w JOIN import_runs r ON r.id = w.run_id
      WHERE w.settled_at IS NULL AND r.status NOT IN ('pending', 'cancelled')
        AND NOT EXISTS (SELECT FROM import_batches b WHERE b.run_id = w.run_id
          AND b.status <> 'complete' AND coalesce(b.collection, w.collection) = w.collection)
      ORDER BY w.run_id, w.collection LIMIT 1 FOR UPDATE OF w SKIP LOCKED),
    moved AS (
      INSERT INTO watermarks AS m (collection, treated_until, made_available_at)
      SELECT collection, treated_until, made_available_at FROM whole
      ON CONFLICT (collection) DO UPDATE SET
        treated_until = excluded.treated_until,
        made_available_at = excluded.made_available_at, moved_at = now()
      WHERE m.treated_until <= excluded.treated_until
        AND (SELECT treated_from IS NULL OR treated_from <= m.treated_until FROM whole))
    UPDATE treatment_windows w SET settled_at = now() FROM whole
    WHERE (w.run_id, w.collection) = (whole.run_id, whole.collection)
    RETURNING w.collection
""")

# INSEE publishes every night; a delta may begin too early, never too late.
UNMEASURED_SINCE = """(SELECT min(created_at)::date - 8
  FROM import_runs WHERE kind = 'scope' AND sirets = '{}' AND status = 'complete'
    AND (SELECT count(*) FROM watermarks) < 2
    AND NOT EXISTS (SELECT FROM treatment_windows w JOIN import_runs r ON r.id = w.run_id
      WHERE w.settled_at IS NULL AND r.status <> 'failed'))"""
"""SQL: from when on a delta mends a register whose age nobody measures; else NULL.

It is one that imports have loaded, that no watermark tells of, and that no run under way will."""
_UNMEASURED = text(f"SELECT {UNMEASURED_SINCE}")


def unmeasured_since(connection: Connection) -> date | None:
    found: date | None = connection.scalar(_UNMEASURED)
    return found


def unmeasured_words(since: date) -> str:
    return f"nothing says how fresh the register is: ./sirenade delta --since {since}"


def read_watermarks(connection: Connection) -> dict[str, Watermark]:
    """Return the watermark of each collection; one that was never complete has none."""
    _bring_back(connection)
    return {
        row.collection: Watermark(row.treated_until, row.made_available_at)
        for row in connection.execute(_READ)
    }


def _end_of_today() -> datetime:
    return end_of(day_in_france(utc_now()))


def _bring_back(connection: Connection) -> None:
    for row in connection.execute(_BRING_BACK, {"zone": TIME_ZONE}):
        log.warning(
            "watermark was in the future, brought back: give the next delta --since",
            collection=row.collection,
            was=str(row.was),
            now=str(row.bound),
        )


def set_watermark(connection: Connection, collection: str, treated_until: datetime) -> None:
    """Note that a collection is complete up to there, even if the watermark moves back.

    A date in the future counts as the end of today. A load of stock files calls it. Raises
    ValueError where the collection is none of COLLECTIONS, or the date carries an offset.
    """
    if collection not in COLLECTIONS:
        raise ValueError(f"no such collection: {collection}")
    if treated_until.tzinfo is not None:
        raise ValueError("dates of treatment carry no offset: they are Paris time")
    until = min(treated_until, _end_of_today())
    connection.execute(_SET, {"collection": collection, "treated_until": until})


def record_windows(connection: Connection, run_id: int, windows: Iterable[TreatmentWindow]) -> None:
    """Note what a run brings, in the transaction that plans it."""
    for window in windows:
        connection.execute(_RECORD, {"run_id": run_id, **asdict(window)})


def settle_windows(connection: Connection) -> list[str]:
    """Move the watermarks to the ends of complete windows; return the windows' collections.

    Windows of a failed or cancelled run stay open and move nothing.
    """
    _bring_back(connection)
    settle = partial(connection.scalar, _SETTLE, {"end_of_today": _end_of_today()})
    return list(iter(settle, None))
