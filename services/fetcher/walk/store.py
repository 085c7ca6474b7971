"""The pages of a walk in PostgreSQL: leases, GETs, and the pages that stand still."""

import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine

from services.fetcher import statements
from services.fetcher.daily_share import Part, give_back_rest, take_part
from services.fetcher.plan.page_end import MAX_ROWS_PER_PAGE, rows_to_ask
from shared.messages import FetchPage


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
    # The rows of a full page, or what the limit of the batch leaves.
    rows_wanted: int
    # The page's part of the day's share; None where the run has no daily share.
    part: Part | None = None
    # The run is a refresh.
    refresh: bool = False

    @property
    def key(self) -> dict[str, object]:
        """The parameters of a statement that holds only while the page is leased."""
        return {"batch_id": self.batch_id, "page": self.page, "token": self.token}


@dataclass(frozen=True)
class FetchedPage:
    """One GET of a page, as its row keeps it before its slices may be published."""

    fetch_id: int
    next_cursor: str | None
    records: int
    slices: int
    is_last: bool
    expected: int


class PageStore:
    """The walker's and the sweeper's side of the import tables; each method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def lease_page(
        self,
        batch_id: int,
        page: int,
        *,
        lease_seconds: float,
        rows_per_page: int = MAX_ROWS_PER_PAGE,
    ) -> PageLease | None:
        """Lease a page, and take its part where the run has a daily share.

        None where the page is complete or leased, where its batch is not running, or where the
        day's share is given out.
        """
        key: dict[str, Any] = {"batch_id": batch_id, "page": page, "token": uuid.uuid4()}
        part = None
        with self._engine.begin() as connection:
            lease = key | {"lease_seconds": lease_seconds}
            leased = connection.execute(statements.LEASE_PAGE, lease).mappings().one_or_none()
            if leased is None:
                return None
            row = dict(leased)
            wanted = rows_to_ask(row["received_before"], row["row_limit"], rows_per_page)
            if row.pop("is_daily"):
                part = take_part(connection, batch_id=batch_id, page=page, wanted=wanted)
                if part is None:
                    return None
        return PageLease(**key, rows_wanted=wanted, part=part, **row)

    def move_part(self, lease: PageLease, part: Part, at: datetime) -> Part | None:
        """Take the page's part from the day of `at` instead, because its GET leaves only then.

        None where the lease was lost meanwhile, or where the share of that day is given out.
        """
        with self._engine.begin() as connection:
            if connection.execute(statements.LOCK_LEASED_PAGE, lease.key).one_or_none() is None:
                return None
            return take_part(
                connection, batch_id=lease.batch_id, page=lease.page, wanted=part.rows, at=at
            )

    def is_halted(self, run_id: int) -> bool:
        """Return whether the run was paused or cancelled, perhaps after the lease."""
        with self._engine.connect() as connection:
            return bool(connection.scalar(statements.IS_HALTED, {"run_id": run_id}))

    def is_cancelled(self, batch_id: int) -> bool:
        with self._engine.connect() as connection:
            return bool(connection.scalar(statements.IS_CANCELLED, {"batch_id": batch_id}))

    def release_page(self, lease: PageLease, *, delay_seconds: float, failed: bool) -> bool:
        """Give the lease back; the sweeper sends the page again once the delay is over.

        `failed` counts as a start. False where the lease was no longer held.
        """
        release = lease.key | {"delay_seconds": delay_seconds, "failed": failed}
        with self._engine.begin() as connection:
            return connection.execute(statements.RELEASE_PAGE, release).rowcount > 0

    def save_page(self, lease: PageLease, fetched: FetchedPage) -> bool:
        """Make this GET the one that counts.

        False where the lease was lost meanwhile, where an earlier GET completed the page, or where
        the batch was cancelled.
        """
        saved = lease.key | asdict(fetched)
        with self._engine.begin() as connection:
            if connection.execute(statements.SAVE_PAGE, saved).rowcount == 0:
                return False
            superseded = [lease.key | {"old_fetch_id": lease.old_fetch_id}]
            if not fetched.is_last:
                superseded += _open_next_page(connection, lease, fetched.next_cursor)
            # Pages before their batch: the writer locks them in the same order.
            connection.execute(statements.SUPERSEDE, superseded)
            connection.execute(statements.EXPECT, saved)
            if lease.part is not None and fetched.records < lease.part.rows:
                give_back_rest(connection, batch_id=lease.batch_id)
            connection.execute(statements.CLEAR_ERROR)
        return True

    def fail_batch(self, batch_id: int, error: str) -> None:
        """End an open batch that can never succeed, and its run where it was the last one."""
        with self._engine.begin() as connection:
            run_id = connection.execute(
                statements.FAIL_BATCH, {"batch_id": batch_id, "error": error}
            ).scalar_one_or_none()
            if run_id is not None:
                connection.execute(statements.LOCK_RUN, {"run_id": run_id})
                connection.execute(statements.CLOSE_RUN, {"run_id": run_id, "error": error})

    def note_error(self, error: str) -> None:
        """Write into all open runs why they stand still; the next saved page clears it."""
        with self._engine.begin() as connection:
            connection.execute(statements.NOTE_ERROR, {"error": error})

    def sweep(
        self, *, unfetched_seconds: float, unwritten_seconds: float, slices_wait: bool
    ) -> list[FetchPage]:
        """Mark the pages that stand still as sent again; return their messages.

        A page stands still after `unfetched_seconds` without a saved GET, and after
        `unwritten_seconds` without a written slice. `slices_wait`: the writer's queue is not
        empty, and slices of the page may be in it.
        """
        limits = {
            "unfetched_seconds": unfetched_seconds,
            "unwritten_seconds": unwritten_seconds,
            "slices_wait": slices_wait,
        }
        with self._engine.begin() as connection:
            return [FetchPage(*row) for row in connection.execute(statements.SWEEP, limits)]


def _open_next_page(
    connection: Connection, lease: PageLease, cursor: str | None
) -> list[dict[str, object]]:
    """Let the next page begin where this one ends; return its GET that no longer counts."""
    following = {"batch_id": lease.batch_id, "page": lease.page + 1, "cursor": cursor}
    connection.execute(statements.NEXT_PAGE, following)
    moved = connection.execute(statements.MOVE_NEXT_PAGE, following)
    return [following | {"old_fetch_id": row.fetch_id} for row in moved]
