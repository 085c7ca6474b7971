"""Runs, batches and pages in PostgreSQL: what the fetcher must still know after a kill."""

import uuid
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, Engine

from services.fetcher import statements
from services.fetcher.daily_share import Part, give_back_rest, still_holds_lease, take_part
from services.fetcher.plan.deltas import DeltaDraft, DeltaOrder
from services.fetcher.plan.page_end import FIRST_CURSOR, MAX_ROWS_PER_PAGE, PageEnd, rows_to_ask
from services.fetcher.plan.windows import PlannedBatch, Window
from shared.db.locks import Lock, hold
from shared.imports.orders import order_import
from shared.imports.scope import Scope
from shared.imports.treatments import Watermark
from shared.imports.watermarks import read_watermarks, record_windows, settle_windows


@dataclass(frozen=True)
class PendingRun:
    run_id: int
    scope: Scope
    row_limit: int | None
    # Where it is one: then the scope is empty.
    delta: DeltaOrder | None = None


@dataclass(frozen=True)
class PageLease:
    """The right to fetch one page, until its time is over."""

    run_id: int
    batch_id: int
    page: int
    token: uuid.UUID
    cursor: str
    old_fetch_id: int | None
    starts: int
    query: str
    row_limit: int | None
    received_before: int
    # Of the day's share; None where the run has no such bound.
    part: Part | None = None


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

    def request_run(self, scope: Scope, *, row_limit: int | None) -> int:
        """Ask for an import; whichever fetcher comes first plans it."""
        with self._engine.begin() as connection:
            return order_import(connection, scope, row_limit=row_limit)

    def read_plan(self, run_id: int) -> list[PlannedBatch] | None:
        """Return the batches of a run, without their windows; None while it is not planned."""
        with self._engine.connect() as connection:
            rows = connection.execute(statements.READ_PLAN, {"run_id": run_id}).all()
        if not rows:
            return None
        return [
            PlannedBatch(Window(sirets=tuple(row.sirets or ())), row.row_limit, row.expected)
            for row in rows
            if row.id is not None
        ]

    def requests_per_minute(self) -> float | None:
        """Return the quota that holds now; None until a fetcher has opened it."""
        with self._engine.connect() as connection:
            found: float | None = connection.execute(statements.PER_MINUTE).scalar()
        return found

    def lease_pending_run(self, *, lease_seconds: float) -> PendingRun | None:
        with self._engine.begin() as connection:
            leased = connection.execute(statements.LEASE_RUN, {"lease_seconds": lease_seconds})
            row = leased.mappings().one_or_none()
        if row is None:
            return None
        scope = Scope(**{each.name: row[each.name] for each in fields(Scope)})
        order = DeltaOrder(row["since"], row["overlap_hours"] or 0.0, row["wait_seconds"] or 0.0)
        is_delta = row["kind"] == "delta"
        return PendingRun(row["id"], scope, row["row_limit"], order if is_delta else None)

    def renew_run(self, run_id: int, *, lease_seconds: float) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                statements.RENEW_RUN, {"run_id": run_id, "lease_seconds": lease_seconds}
            )

    def release_run(
        self,
        run_id: int,
        *,
        delay_seconds: float,
        error: str | None = None,
        warning: str | None = None,
    ) -> None:
        """Let a run be planned again at the first turn after the delay, and say why it waits."""
        release = {"delay_seconds": delay_seconds, "error": error, "warning": warning}
        with self._engine.begin() as connection:
            connection.execute(statements.RELEASE_RUN, {"run_id": run_id, **release})

    def insert_plan(self, run_id: int, draft: DeltaDraft) -> None:
        """Turn a pending run into its batches: all of them, or none where it is planned already."""
        with self._engine.begin() as connection:
            opened = connection.execute(
                statements.OPEN_RUN,
                {"run_id": run_id, "batches": len(draft.plan), "warning": draft.warning},
            )
            if opened.rowcount == 0:
                return
            record_windows(connection, run_id, draft.windows)
            for number, batch in enumerate(draft.plan, start=1):
                window = asdict(batch.window) | {"sirets": list(batch.window.sirets) or None}
                connection.execute(
                    statements.INSERT_BATCH,
                    {
                        **window,
                        "run_id": run_id,
                        "number": number,
                        "query": batch.window.query,
                        "row_limit": batch.row_limit,
                        "expected": batch.expected,
                    },
                )

    def activate_batches(self, parallel_batches: int) -> list[tuple[int, int]]:
        """Start as many pending batches as may run side by side; return their first pages."""
        with self._engine.begin() as connection:
            # Two planners at once would each fill the same room.
            hold(connection, Lock.BATCH_ROOM)
            rows = connection.execute(
                statements.ACTIVATE, {"parallel_batches": parallel_batches, "cursor": FIRST_CURSOR}
            )
            return [(row.batch_id, row.number) for row in rows]

    def lease_page(
        self,
        batch_id: int,
        page: int,
        *,
        lease_seconds: float,
        rows_per_page: int = MAX_ROWS_PER_PAGE,
    ) -> PageLease | None:
        """Lease a page; None where it is complete, leased already, or its batch is not running.

        Also None where its run has had its share of the day.
        """
        token = uuid.uuid4()
        part = None
        with self._engine.begin() as connection:
            row = connection.execute(
                statements.LEASE_PAGE,
                {
                    "batch_id": batch_id,
                    "page": page,
                    "token": token,
                    "lease_seconds": lease_seconds,
                },
            ).one_or_none()
            if row is None:
                return None
            if row.is_daily:
                wanted = rows_to_ask(
                    received_before=row.received_before,
                    row_limit=row.row_limit,
                    rows_per_page=rows_per_page,
                )
                part = take_part(connection, batch_id=batch_id, page=page, wanted=wanted)
                if part is None:
                    return None
        return PageLease(
            run_id=row.run_id,
            batch_id=batch_id,
            page=page,
            token=token,
            cursor=row.cursor,
            old_fetch_id=row.fetch_id,
            starts=row.starts,
            query=row.query,
            row_limit=row.row_limit,
            received_before=row.received_before,
            part=part,
        )

    def move_part(self, lease: PageLease, part: Part, at: datetime) -> Part | None:
        """Take a page's part from the day of `at` instead, since its GET leaves only then.

        None where the lease was lost meanwhile, or where that day's share is given out.
        """
        place = {"batch_id": lease.batch_id, "page": lease.page}
        with self._engine.begin() as connection:
            if not still_holds_lease(connection, **place, token=lease.token):
                return None
            return take_part(connection, **place, wanted=part.rows, at=at)

    def release_page(self, lease: PageLease, *, delay_seconds: float, failed: bool) -> bool:
        """Give a page back; the sweeper sends it again once the delay is over.

        `failed` counts as a start; False is returned where the lease was no longer held.
        """
        with self._engine.begin() as connection:
            released = connection.execute(
                statements.RELEASE_PAGE,
                {
                    "batch_id": lease.batch_id,
                    "page": lease.page,
                    "token": lease.token,
                    "delay_seconds": delay_seconds,
                    "failed": failed,
                },
            )
            return released.rowcount > 0

    def save_page(self, lease: PageLease, fetched: FetchedPage) -> bool:
        """Make this GET the one that counts.

        False where the lease was lost meanwhile, or the page completed by an earlier GET.
        """
        place = {"batch_id": lease.batch_id, "page": lease.page}
        with self._engine.begin() as connection:
            saved = connection.execute(
                statements.SAVE_PAGE,
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
            superseded = [{**place, "old_fetch_id": lease.old_fetch_id}]
            if not fetched.end.is_last:
                superseded += _lead_on(connection, lease, fetched.next_cursor)
            # Pages before their batch, the order in which the writer locks them.
            connection.execute(statements.SUPERSEDE, superseded)
            connection.execute(
                statements.EXPECT,
                {"batch_id": lease.batch_id, "expected": fetched.end.expected},
            )
            if lease.part is not None and fetched.records < lease.part.rows:
                give_back_rest(connection, batch_id=lease.batch_id)
            connection.execute(statements.CLEAR_ERROR)
        return True

    def fail_batch(self, batch_id: int, error: str) -> None:
        """End an open batch that can never succeed, and its run where it was the last."""
        with self._engine.begin() as connection:
            run_id = connection.execute(
                statements.FAIL_BATCH, {"batch_id": batch_id, "error": error}
            ).scalar_one_or_none()
            if run_id is None:
                return
            connection.execute(statements.LOCK_RUN, {"run_id": run_id})
            connection.execute(statements.CLOSE_RUN, {"run_id": run_id, "error": error})

    def fail_run(self, run_id: int, error: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(statements.LOCK_RUN, {"run_id": run_id})
            connection.execute(statements.CLOSE_RUN, {"run_id": run_id, "error": error})

    def note_error(self, error: str) -> None:
        """Tell whoever watches a run why it stands still; the next page saved clears it."""
        with self._engine.begin() as connection:
            connection.execute(statements.NOTE_ERROR, {"error": error})

    def sweep(
        self, *, unfetched_seconds: float, unwritten_seconds: float, slices_wait: bool
    ) -> list[tuple[int, int]]:
        """Return the pages that stood still for so long, and mark them as sent again.

        `slices_wait`: the writer has some in its queue, and a page's may be among them.
        """
        with self._engine.begin() as connection:
            rows = connection.execute(
                statements.SWEEP,
                {
                    "unfetched_seconds": unfetched_seconds,
                    "unwritten_seconds": unwritten_seconds,
                    "slices_wait": slices_wait,
                },
            )
            return [(row.batch_id, row.number) for row in rows]

    def wake_everything(self) -> None:
        """Forget all leases and waits. Only where no other process can hold one."""
        with self._engine.begin() as connection:
            connection.execute(statements.WAKE)
            connection.execute(statements.WAKE_RUNS)


def _lead_on(
    connection: Connection, lease: PageLease, cursor: str | None
) -> list[dict[str, int | None]]:
    """See that the next page begins where this one ends; return the GET that no longer counts."""
    place = {"batch_id": lease.batch_id, "page": lease.page + 1}
    connection.execute(statements.NEXT_PAGE, {**place, "cursor": cursor})
    moved = connection.execute(statements.MOVE_NEXT_PAGE, {**place, "cursor": cursor})
    return [{**place, "old_fetch_id": row.fetch_id} for row in moved]


class Watermarks:
    """How far the register is complete. Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self) -> dict[str, Watermark]:
        with self._engine.connect() as connection:
            return read_watermarks(connection)

    def settle(self) -> list[str]:
        """Move the watermarks to the ends of windows that are complete; return which moved."""
        with self._engine.begin() as connection:
            return settle_windows(connection)
