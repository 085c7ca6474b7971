"""How far the register is complete, and the order of a delta that brings it further.

Dates of treatment are INSEE's own: without an offset, Paris time. A watermark moves only to the
end of a window whose walks are all complete, never to what a clock says (docs/adr/0005-delta.md).
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from shared.days import TIME_ZONE

COLLECTIONS = ("etablissements", "unites_legales")
# INSEE can write a row a little after others of a later date; a day's worth is some requests.
OVERLAP_HOURS = 24.0

_REQUEST = text("""
    INSERT INTO import_runs (kind, since, overlap_hours, wait_until)
    VALUES ('delta', CAST(:since AS timestamp), :overlap_hours,
      now() + make_interval(secs => :wait_minutes * 60))
    RETURNING id
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
      SELECT w.run_id, w.collection, w.treated_from, w.treated_until, w.made_available_at
      FROM treatment_windows w JOIN import_runs r ON r.id = w.run_id
      WHERE w.settled_at IS NULL AND r.status <> 'pending'
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
_AGES = text(f"""
    SELECT collection,
      extract(epoch FROM now() - (treated_until AT TIME ZONE '{TIME_ZONE}'))::float AS seconds
    FROM watermarks
""")  # noqa: S608  made of a constant


@dataclass(frozen=True)
class Watermark:
    """Everything that INSEE treated up to `treated_until` is in the database."""

    treated_until: datetime
    # INSEE's own date of the publication that brought it, where a walk did.
    made_available_at: datetime | None = None


@dataclass(frozen=True)
class TreatmentWindow:
    """What a run brings of a collection, both ends included; `treated_from` None: since ever."""

    collection: str
    treated_from: datetime | None
    treated_until: datetime
    made_available_at: datetime | None = None


def request_delta(
    connection: Connection,
    *,
    since: datetime | None = None,
    overlap_hours: float = OVERLAP_HOURS,
    wait_minutes: float = 0.0,
) -> int:
    """Ask for a delta and return its run's id; the fetcher does the rest, after older deltas.

    `since` is Paris time without an offset: needed once where there is no watermark, it reaches
    further back where there is one. For `wait_minutes` it waits for INSEE to publish.
    """
    run_id: int = connection.execute(
        _REQUEST, {"since": since, "overlap_hours": overlap_hours, "wait_minutes": wait_minutes}
    ).scalar_one()
    return run_id


def read_watermarks(connection: Connection) -> dict[str, Watermark]:
    """By collection; a collection that was never complete has none."""
    return {
        row.collection: Watermark(row.treated_until, row.made_available_at)
        for row in connection.execute(_READ)
    }


def set_watermark(connection: Connection, collection: str, treated_until: datetime) -> None:
    """Say that a collection is complete up to there, also where that is less than it was.

    For what fills the tables by another way than a delta. Raises ValueError where the collection
    is none of COLLECTIONS, or the date carries an offset.
    """
    if collection not in COLLECTIONS:
        raise ValueError(f"no such collection: {collection}")
    if treated_until.tzinfo is not None:
        raise ValueError("dates of treatment carry no offset: they are Paris time")
    connection.execute(_SET, {"collection": collection, "treated_until": treated_until})


def record_windows(connection: Connection, run_id: int, windows: Iterable[TreatmentWindow]) -> None:
    """Note what a run brings, in the transaction that plans it."""
    for window in windows:
        connection.execute(_RECORD, {"run_id": run_id, **asdict(window)})


def settle_windows(connection: Connection) -> list[str]:
    """Move the watermarks to the ends of windows that are complete; return whose were looked at.

    Windows of a run that failed stay as they are, and move nothing.
    """
    settled: list[str] = []
    while (collection := connection.execute(_SETTLE).scalar_one_or_none()) is not None:
        settled.append(collection)
    return settled


def read_ages_seconds(connection: Connection) -> Mapping[str, float]:
    """How long ago INSEE treated what each collection is complete up to."""
    return {row.collection: row.seconds for row in connection.execute(_AGES)}
