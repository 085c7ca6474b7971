"""The runs as people look at them: kind, scope, state, progress, rate, ETA, and who halted one."""

import math
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, RowMapping, text

from shared.imports.held import in_words
from shared.imports.scope import Scope

_SECONDS_OF_A_DAY = 86_400.0
_RATE_SECONDS = 900.0
# The runs are chosen before their batches are read: the cost is that of a page of the list.
_READ = text("""
    WITH chosen AS MATERIALIZED (
      SELECT * FROM import_runs
      WHERE (CAST(:run_id AS bigint) IS NULL OR id = :run_id)
        AND (CAST(:before AS bigint) IS NULL OR id < :before)
        AND (NOT :open_only OR status IN ('pending', 'running'))
      ORDER BY id DESC LIMIT :limit)
    SELECT c.id, c.kind, c.everything, c.departements, c.communes, c.activites,
      c.etat_administratif, c.siret_from, c.siret_to, c.sirets, c.row_limit, c.per_day,
      c.day_seconds, c.resting_until, c.created_at, c.completed_at,
      c.halted_at, c.halted_by, c.halted_because, c.warning, c.error,
      CASE WHEN c.status IN ('pending', 'running') AND c.halted_at IS NOT NULL
        THEN 'paused' ELSE c.status END AS state,
      b.batches, b.batches_done, b.expected, b.received, b.dropped,
      coalesce(q.records, 0)::bigint AS recent_rows,
      extract(epoch FROM least(now() - c.created_at, make_interval(secs => :rate_seconds)))::float
        AS recent_seconds
    FROM chosen c
    CROSS JOIN LATERAL (
      SELECT count(*) AS batches, count(*) FILTER (WHERE status = 'complete') AS batches_done,
        sum(expected)::bigint AS expected, coalesce(sum(received), 0)::bigint AS received,
        coalesce(sum(dropped), 0)::bigint AS dropped
      FROM import_batches WHERE run_id = c.id) b
    LEFT JOIN (
      SELECT d.run_id, sum(r.records) AS records
      FROM insee_requests r JOIN import_batches d ON d.id = r.batch_id
      WHERE r.granted_at > now() - make_interval(secs => :rate_seconds) GROUP BY d.run_id) q
      ON q.run_id = c.id
    ORDER BY c.id DESC
""")


class RunState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        return self in {RunState.PENDING, RunState.RUNNING, RunState.PAUSED}


@dataclass(frozen=True)
class RunSummary:
    """A run; `expected` is None until it is planned, `eta_seconds` while nothing moves.

    `dropped` counts the rows that came after a cancel. `halted_*` is the order by which a run is
    paused or was cancelled.
    """

    run_id: int
    kind: str
    scope: str
    state: RunState
    expected: int | None
    received: int
    batches: int
    batches_done: int
    rows_per_second: float
    eta_seconds: float | None
    row_limit: int | None
    per_day: int | None
    dropped: int
    created_at: datetime
    completed_at: datetime | None
    halted_at: datetime | None
    halted_by: str | None
    halted_because: str | None
    resting_until: datetime | None
    warning: str | None
    error: str | None


def list_runs(
    connection: Connection, *, limit: int, before: int | None = None, open_only: bool = False
) -> list[RunSummary]:
    """Return the newest runs first, at most `limit` of them, with ids below `before`."""
    return _read(connection, limit=limit, before=before, open_only=open_only)


def read_run(connection: Connection, run_id: int) -> RunSummary | None:
    return next(iter(_read(connection, run_id=run_id)), None)


def _read(
    connection: Connection,
    *,
    run_id: int | None = None,
    before: int | None = None,
    open_only: bool = False,
    limit: int = 1,
) -> list[RunSummary]:
    asked: dict[str, object] = {"run_id": run_id, "before": before, "open_only": open_only}
    asked |= {"limit": limit, "rate_seconds": _RATE_SECONDS}
    return [_view(row) for row in connection.execute(_READ, asked).mappings()]


def _view(row: RowMapping) -> RunSummary:
    state = RunState(row["state"])
    works = state is RunState.RUNNING
    per_second = row["recent_rows"] / max(row["recent_seconds"], 1.0) if works else 0.0
    own = {each.name for each in fields(RunSummary)} & row.keys()
    return RunSummary(
        **{name: row[name] for name in own - {"state", "scope"}},
        run_id=row["id"],
        state=state,
        scope=scope_in_words(row),
        rows_per_second=per_second,
        eta_seconds=_eta_seconds(row, per_second) if works else None,
    )


def scope_in_words(row: RowMapping) -> str:
    """Name what a run imports, by codes."""
    if row["kind"] == "delta":
        return "all of France" if row["everything"] else "what was imported"
    if sirets := row["sirets"]:
        return str(sirets[0]) if len(sirets) == 1 else f"{len(sirets)} sirets"
    return in_words([Scope(**{each.name: row[each.name] for each in fields(Scope)})])


def _eta_seconds(row: RowMapping, per_second: float) -> float | None:
    if row["expected"] is None:
        return None
    left: int = max(0, row["expected"] - row["received"])
    if left and row["per_day"] is not None:
        days: int = math.ceil(left / row["per_day"])
        return days * float(row["day_seconds"] or _SECONDS_OF_A_DAY)
    if left == 0:
        return 0.0
    return left / per_second if per_second else None
