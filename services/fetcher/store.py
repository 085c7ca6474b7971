"""Runs, batches and pages in PostgreSQL: what the fetcher must still know after a kill."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, text

from services.fetcher.planning import FIRST_CURSOR, PageEnd, Window

_LEASE_RUN = text("""
    UPDATE import_runs SET lease_until = now() + make_interval(secs => :lease_seconds)
    WHERE id = (
      SELECT id FROM import_runs
      WHERE status = 'pending' AND (lease_until IS NULL OR lease_until < now())
      ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, departements, communes, row_limit
""")
_INSERT_BATCH = text("""
    INSERT INTO import_batches (run_id, number, query, departement, code_commune, row_limit)
    VALUES (:run_id, :number, :query, :departement, :code_commune, :row_limit)
    ON CONFLICT (run_id, number) DO NOTHING
""")
_ACTIVATE = text("""
    WITH room AS (
      SELECT greatest(:parallel_batches - count(*), 0) AS free
      FROM import_batches WHERE status = 'running'),
    chosen AS (
      SELECT b.id FROM import_batches b JOIN import_runs r ON r.id = b.run_id
      WHERE b.status = 'pending' AND r.status = 'running'
      ORDER BY b.id LIMIT (SELECT free FROM room) FOR UPDATE OF b SKIP LOCKED),
    running AS (
      UPDATE import_batches b SET status = 'running' FROM chosen WHERE b.id = chosen.id
      RETURNING b.id)
    INSERT INTO import_pages (batch_id, number, cursor)
    SELECT id, 1, :cursor FROM running
    RETURNING batch_id, number
""")
_LEASE_PAGE = text("""
    UPDATE import_pages p
    SET lease_token = :token,
        lease_until = now() + make_interval(secs => :lease_seconds),
        starts = p.starts + 1
    FROM import_batches b
    WHERE p.batch_id = :batch_id AND p.number = :page AND b.id = p.batch_id
      AND b.status = 'running'
      AND (p.lease_until IS NULL OR p.lease_until < now())
      AND (p.slices_expected IS NULL OR p.slices_done < p.slices_expected)
    RETURNING p.cursor, p.fetch_id, p.starts, b.query, b.row_limit,
      (SELECT coalesce(sum(records), 0)::bigint FROM import_pages
       WHERE batch_id = :batch_id AND number < :page) AS received_before
""")
_RELEASE_PAGE = text("""
    UPDATE import_pages
    SET lease_token = NULL, moved_at = '-infinity',
        lease_until = now() + make_interval(secs => :delay_seconds)
    WHERE batch_id = :batch_id AND number = :page AND lease_token = :token
""")
_SAVE_PAGE = text("""
    UPDATE import_pages
    SET fetch_id = :fetch_id, next_cursor = :next_cursor, records = :records, is_last = :is_last,
        slices_expected = :slices, slices_done = 0, starts = 0,
        lease_token = NULL, lease_until = NULL, moved_at = now()
    WHERE batch_id = :batch_id AND number = :page AND lease_token = :token
""")
# The receipts of a GET that no longer counts leave the batch's count with it.
_SUPERSEDE = text("""
    UPDATE import_batches
    SET expected = :expected,
        received = received - (
          SELECT coalesce(sum(records), 0) FROM slice_receipts
          WHERE batch_id = :batch_id AND page = :page AND fetch_id = :old_fetch_id)
    WHERE id = :batch_id
""")
_NEXT_PAGE = text("""
    INSERT INTO import_pages (batch_id, number, cursor) VALUES (:batch_id, :page, :cursor)
    ON CONFLICT (batch_id, number) DO NOTHING
""")
_RECORD_REQUEST = text("""
    UPDATE insee_requests
    SET http_status = :status, records = :records, duration_seconds = :duration_seconds
    WHERE id = :fetch_id
""")
_FAIL_BATCH = text("""
    UPDATE import_batches SET status = 'failed', error = :error, completed_at = now()
    WHERE id = :batch_id RETURNING run_id
""")
_CLOSE_RUN = text("""
    UPDATE import_runs r SET status = 'failed', completed_at = now(), error = :error
    WHERE r.id = :run_id AND NOT EXISTS (
      SELECT FROM import_batches WHERE run_id = r.id AND status IN ('pending', 'running'))
""")
# As the writer does: of two that close the last batches at once, one must see the other's.
_LOCK_RUN = text("SELECT 1 FROM import_runs WHERE id = :run_id FOR NO KEY UPDATE")
_NOTE_ERROR = text("UPDATE import_runs SET error = :error WHERE status IN ('pending', 'running')")
_CLEAR_ERROR = text("""
    UPDATE import_runs SET error = NULL
    WHERE status IN ('pending', 'running') AND error IS NOT NULL
""")
_SWEEP = text("""
    UPDATE import_pages p SET moved_at = now()
    FROM (
      SELECT p.batch_id, p.number FROM import_pages p
      JOIN import_batches b ON b.id = p.batch_id AND b.status = 'running'
      WHERE (p.slices_expected IS NULL OR p.slices_done < p.slices_expected)
        AND (p.lease_until IS NULL OR p.lease_until < now())
        AND p.moved_at < now() - make_interval(secs =>
          CASE WHEN p.slices_expected IS NULL THEN :unfetched_seconds ELSE :unwritten_seconds END)
      ORDER BY p.batch_id, p.number FOR UPDATE OF p SKIP LOCKED) still
    WHERE p.batch_id = still.batch_id AND p.number = still.number
    RETURNING p.batch_id, p.number
""")
_WAKE = text("""
    UPDATE import_pages SET lease_token = NULL, lease_until = NULL, moved_at = '-infinity'
    WHERE slices_expected IS NULL OR slices_done < slices_expected
""")
_WAKE_RUNS = text("UPDATE import_runs SET lease_until = NULL WHERE status = 'pending'")


@dataclass(frozen=True)
class PendingRun:
    run_id: int
    departements: list[str]
    communes: list[str]
    row_limit: int | None


@dataclass(frozen=True)
class PageLease:
    """The right to fetch one page, until its time is over."""

    batch_id: int
    page: int
    token: uuid.UUID
    cursor: str
    old_fetch_id: int | None
    starts: int
    query: str
    row_limit: int | None
    received_before: int


@dataclass(frozen=True)
class FetchedPage:
    """What a page's row must know before its slices may be published."""

    fetch_id: int
    next_cursor: str | None
    records: int
    slices: int
    end: PageEnd


class ImportStore:
    """The fetcher's side of the import tables; every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def lease_pending_run(self, *, lease_seconds: float) -> PendingRun | None:
        with self._engine.begin() as connection:
            row = connection.execute(_LEASE_RUN, {"lease_seconds": lease_seconds}).one_or_none()
        if row is None:
            return None
        return PendingRun(row.id, row.departements, row.communes, row.row_limit)

    def release_run(self, run_id: int) -> None:
        """Let a run be planned again at the next turn."""
        with self._engine.begin() as connection:
            connection.execute(
                text("UPDATE import_runs SET lease_until = NULL WHERE id = :id"), {"id": run_id}
            )

    def insert_plan(self, run_id: int, plan: Sequence[tuple[Window, int | None]]) -> None:
        """Turn a run into its batches: all of them, or none."""
        with self._engine.begin() as connection:
            for number, (window, row_limit) in enumerate(plan, start=1):
                connection.execute(
                    _INSERT_BATCH,
                    {
                        "run_id": run_id,
                        "number": number,
                        "query": window.query,
                        "departement": window.departement,
                        "code_commune": window.code_commune,
                        "row_limit": row_limit,
                    },
                )
            connection.execute(
                text("UPDATE import_runs SET status = 'running' WHERE id = :id"), {"id": run_id}
            )

    def activate_batches(self, parallel_batches: int) -> list[tuple[int, int]]:
        """Start as many pending batches as may run side by side; return their first pages."""
        with self._engine.begin() as connection:
            # Two planners would each fill the same room.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('activate_batches'))"))
            rows = connection.execute(
                _ACTIVATE, {"parallel_batches": parallel_batches, "cursor": FIRST_CURSOR}
            )
            return [(row.batch_id, row.number) for row in rows]

    def lease_page(self, batch_id: int, page: int, *, lease_seconds: float) -> PageLease | None:
        """Lease a page; None where it is complete, leased already, or its batch is not running."""
        token = uuid.uuid4()
        with self._engine.begin() as connection:
            row = connection.execute(
                _LEASE_PAGE,
                {
                    "batch_id": batch_id,
                    "page": page,
                    "token": token,
                    "lease_seconds": lease_seconds,
                },
            ).one_or_none()
        if row is None:
            return None
        return PageLease(
            batch_id=batch_id,
            page=page,
            token=token,
            cursor=row.cursor,
            old_fetch_id=row.fetch_id,
            starts=row.starts,
            query=row.query,
            row_limit=row.row_limit,
            received_before=row.received_before,
        )

    def release_page(self, lease: PageLease, *, delay_seconds: float) -> None:
        """Give a page back; the sweeper sends it again once the delay is over."""
        with self._engine.begin() as connection:
            connection.execute(
                _RELEASE_PAGE,
                {
                    "batch_id": lease.batch_id,
                    "page": lease.page,
                    "token": lease.token,
                    "delay_seconds": delay_seconds,
                },
            )

    def save_page(self, lease: PageLease, fetched: FetchedPage) -> bool:
        """Make this GET the one that counts; False where the lease was lost meanwhile."""
        place = {"batch_id": lease.batch_id, "page": lease.page}
        with self._engine.begin() as connection:
            saved = connection.execute(
                _SAVE_PAGE,
                {
                    **place,
                    "token": lease.token,
                    "fetch_id": fetched.fetch_id,
                    "next_cursor": fetched.next_cursor,
                    "records": fetched.records,
                    "is_last": fetched.end.is_last,
                    "slices": fetched.slices,
                },
            )
            if saved.rowcount == 0:
                return False
            connection.execute(
                _SUPERSEDE,
                {**place, "expected": fetched.end.expected, "old_fetch_id": lease.old_fetch_id},
            )
            if not fetched.end.is_last:
                connection.execute(
                    _NEXT_PAGE,
                    {
                        "batch_id": lease.batch_id,
                        "page": lease.page + 1,
                        "cursor": fetched.next_cursor,
                    },
                )
        return True

    def record_request(
        self, fetch_id: int, *, status: int, records: int | None, duration_seconds: float
    ) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                _RECORD_REQUEST,
                {
                    "fetch_id": fetch_id,
                    "status": status,
                    "records": records,
                    "duration_seconds": duration_seconds,
                },
            )

    def fail_batch(self, batch_id: int, error: str) -> None:
        """End a batch that can never succeed, and its run where it was the last."""
        with self._engine.begin() as connection:
            run_id = connection.execute(
                _FAIL_BATCH, {"batch_id": batch_id, "error": error}
            ).scalar_one()
            connection.execute(_LOCK_RUN, {"run_id": run_id})
            connection.execute(_CLOSE_RUN, {"run_id": run_id, "error": error})

    def fail_run(self, run_id: int, error: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(_LOCK_RUN, {"run_id": run_id})
            connection.execute(_CLOSE_RUN, {"run_id": run_id, "error": error})

    def note_error(self, error: str | None) -> None:
        """Tell whoever watches a run why it stands still; None once it goes on."""
        with self._engine.begin() as connection:
            connection.execute(_NOTE_ERROR if error else _CLEAR_ERROR, {"error": error})

    def sweep(self, *, unfetched_seconds: float, unwritten_seconds: float) -> list[tuple[int, int]]:
        """Return the pages that stood still for so long, and mark them as sent again."""
        with self._engine.begin() as connection:
            rows = connection.execute(
                _SWEEP,
                {"unfetched_seconds": unfetched_seconds, "unwritten_seconds": unwritten_seconds},
            )
            return [(row.batch_id, row.number) for row in rows]

    def wake_everything(self) -> None:
        """Forget all leases and waits. Only where no other process can hold one."""
        with self._engine.begin() as connection:
            connection.execute(_WAKE)
            connection.execute(_WAKE_RUNS)
