"""Runs, batches and watermarks in PostgreSQL: the planner's state, which outlives a kill."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import Engine

from services.fetcher import statements
from services.fetcher.plan.deltas import DeltaOrder, RunDraft
from services.fetcher.plan.page_end import FIRST_CURSOR
from services.fetcher.plan.windows import PlannedBatch, Window
from shared.db.locks import Lock, hold
from shared.imports.held import first_windows, is_everything, read_held
from shared.imports.leavers import read_leavers
from shared.imports.scope import Scope
from shared.imports.treatments import Watermark
from shared.imports.watermarks import read_watermarks, record_windows, settle_windows
from shared.messages import FetchPage


@dataclass(frozen=True)
class PendingRun:
    run_id: int
    scope: Scope
    row_limit: int | None
    # None where the run is no delta; the scope of a delta is empty.
    delta: DeltaOrder | None = None


class ImportStore:
    """The planner's side of the import tables; each method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

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
        """Return the present quota; None until a fetcher has opened it."""
        with self._engine.connect() as connection:
            found: float | None = connection.execute(statements.PER_MINUTE).scalar()
        return found

    def lease_pending_run(self, *, lease_seconds: float) -> PendingRun | None:
        """Lease the next run to plan; None where there is none."""
        with self._engine.begin() as connection:
            leased = connection.execute(statements.LEASE_RUN, {"lease_seconds": lease_seconds})
            row = leased.mappings().one_or_none()
        if row is None:
            return None
        scope = Scope(**{each.name: row[each.name] for each in fields(Scope)})
        hours, seconds = row["overlap_hours"] or 0.0, row["wait_seconds"] or 0.0
        order = DeltaOrder(row["since"], hours, seconds, row["everything"])
        is_delta = row["kind"] == "delta"
        return PendingRun(row["id"], scope, row["row_limit"], order if is_delta else None)

    def postpone_run(
        self, run_id: int, seconds: float, *, error: str | None = None, warning: str | None = None
    ) -> bool:
        """Let no other fetcher plan a pending run for this time; `error` and `warning` say why.

        False where the run is no longer to be planned: somebody paused or cancelled it.
        """
        postponed = {"run_id": run_id, "seconds": seconds, "error": error, "warning": warning}
        with self._engine.begin() as connection:
            return connection.execute(statements.POSTPONE_RUN, postponed).rowcount > 0

    def insert_plan(self, run_id: int, draft: RunDraft) -> None:
        """Insert all batches of a pending run, or none where it is planned already."""
        with self._engine.begin() as connection:
            run = {"run_id": run_id, "batches": len(draft.plan), "warning": draft.warning}
            if connection.execute(statements.OPEN_RUN, run).rowcount == 0:
                return
            record_windows(connection, run_id, draft.windows)
            for number, batch in enumerate(draft.plan, start=1):
                window = batch.window
                values = {"run_id": run_id, "number": number, "query": window.query}
                values |= asdict(window) | vars(batch) | {"sirets": list(window.sirets) or None}
                connection.execute(statements.INSERT_BATCH, values)

    def activate_batches(self, parallel_batches: int) -> list[FetchPage]:
        """Start as many pending batches as may run side by side; return their first messages."""
        with self._engine.begin() as connection:
            # Two planners at once would each fill the same room.
            hold(connection, Lock.BATCH_ROOM)
            room = {"parallel_batches": parallel_batches, "cursor": FIRST_CURSOR}
            return [FetchPage(*row) for row in connection.execute(statements.ACTIVATE, room)]

    def fail_run(self, run_id: int, error: str) -> None:
        """End a run that can never succeed; one with an open batch goes on."""
        with self._engine.begin() as connection:
            connection.execute(statements.LOCK_RUN, {"run_id": run_id})
            connection.execute(statements.CLOSE_RUN, {"run_id": run_id, "error": error})

    def wake_everything(self) -> None:
        """Forget all leases and waits; use it only where no other process can hold a lease."""
        with self._engine.begin() as connection:
            connection.execute(statements.WAKE)
            connection.execute(statements.WAKE_RUNS)

    def read_watermarks(self) -> dict[str, Watermark]:
        with self._engine.connect() as connection:
            return read_watermarks(connection)

    def read_scopes(self, order: DeltaOrder) -> list[Scope]:
        """Return the scopes that a delta brings up to date."""
        if order.everything:
            return [Scope()]
        with self._engine.connect() as connection:
            return read_held(connection)

    def read_leavers(self, scopes: Sequence[Scope]) -> list[str]:
        """Return the stored sirets that no window of a delta of these scopes lists."""
        if is_everything(scopes) or any(not _has_bounds(each) for each in scopes):
            return []
        with self._engine.connect() as connection:
            return read_leavers(connection, scopes)

    def first_windows(self, run_id: int) -> dict[str, datetime] | None:
        with self._engine.connect() as connection:
            return first_windows(connection, run_id)

    def settle_windows(self) -> list[str]:
        """Move the watermarks to the ends of complete windows; return the collections."""
        with self._engine.begin() as connection:
            return settle_windows(connection)


def _has_bounds(scope: Scope) -> bool:
    """Return whether more than a state bounds the scope: that is asked for in any period."""
    return any(value for name, value in vars(scope).items() if name != "etat_administratif")
