"""Orders that halt a run: pause, resume, cancel. Each is atomic within the caller's transaction.

A paused run is planned no further and fetches nothing; what was fetched is still written. A
cancelled run is over for good: what was written stays, what comes later is dropped and counted.
"""

from sqlalchemy import Connection, Row, text

from shared.errors import UserError

_FIND = text("""
    SELECT status, halted_at, halted_by FROM import_runs WHERE id = :run_id FOR NO KEY UPDATE
""")
_PAUSE = text("""
    UPDATE import_runs SET halted_at = now(), halted_by = :by, halted_because = :reason
    WHERE id = :run_id
""")
# Its messages were dropped meanwhile: the sweeper sends these pages at once.
_WAKE_PAGES = text("""
    UPDATE import_pages p SET moved_at = '-infinity'
    FROM (
      SELECT p.batch_id, p.number FROM import_pages p
      JOIN import_batches b ON b.id = p.batch_id
      WHERE b.run_id = :run_id AND b.status = 'running' AND p.slices_expected IS NULL
      ORDER BY p.batch_id, p.number FOR UPDATE OF p) waiting
    WHERE (p.batch_id, p.number) = (waiting.batch_id, waiting.number)
""")
_RESUME = text("""
    UPDATE import_runs SET halted_at = NULL, halted_by = NULL, halted_because = NULL
    WHERE id = :run_id
""")
# Batches before their run: the writer and the fetcher lock them in the same order.
_LOCK_BATCHES = text("""
    SELECT 1 FROM import_batches
    WHERE run_id = :run_id AND status IN ('pending', 'running') ORDER BY id FOR NO KEY UPDATE
""")
_CANCEL = text("""
    UPDATE import_runs SET status = 'cancelled', completed_at = now(), error = NULL,
      halted_at = now(), halted_by = :by, halted_because = :reason
    WHERE id = :run_id
""")
# A plan may have come between the two locks; nobody works on its batches yet.
_CANCEL_BATCHES = text("""
    UPDATE import_batches SET status = 'cancelled', completed_at = now()
    WHERE run_id = :run_id AND status IN ('pending', 'running')
""")


def pause(connection: Connection, run_id: int, by: str, reason: str) -> bool:
    """Let the run rest until it is resumed; return False where it is paused already.

    A request that is under way ends, and its rows are written. Raises UserError where there is no
    such run, where it is over, or where nobody or no reason is named.
    """
    order = _checked(run_id, by, reason)
    run = _find(connection, run_id)
    _require_open(run, run_id)
    if run.halted_at is not None:
        return False
    connection.execute(_PAUSE, order)
    return True


def resume(connection: Connection, run_id: int) -> bool:
    """Let a paused run go on where it is; return False where it is not paused.

    Raises UserError where there is no such run, or where it is over.
    """
    connection.execute(_WAKE_PAGES, {"run_id": run_id})
    run = _find(connection, run_id)
    _require_open(run, run_id)
    if run.halted_at is None:
        return False
    connection.execute(_RESUME, {"run_id": run_id})
    return True


def cancel(connection: Connection, run_id: int, by: str, reason: str) -> bool:
    """End the run and its open batches for good; return False where it is cancelled already.

    It moves no watermark. Raises UserError where there is no such run, where it has ended
    otherwise, or where nobody or no reason is named.
    """
    order = _checked(run_id, by, reason)
    connection.execute(_LOCK_BATCHES, order)
    run = _find(connection, run_id)
    if run.status == "cancelled":
        return False
    _require_open(run, run_id)
    connection.execute(_CANCEL, order)
    connection.execute(_CANCEL_BATCHES, order)
    return True


def _checked(run_id: int, by: str, reason: str) -> dict[str, object]:
    by, reason = by.strip(), reason.strip()
    if not by or not reason or "\0" in by + reason:
        raise UserError("say who orders it, and why")
    return {"run_id": run_id, "by": by, "reason": reason}


def _find(connection: Connection, run_id: int) -> Row[tuple[object, ...]]:
    run = connection.execute(_FIND, {"run_id": run_id}).one_or_none()
    if run is None:
        raise UserError(f"there is no run {run_id}: ./sirenade runs list")
    return run


def _require_open(run: Row[tuple[object, ...]], run_id: int) -> None:
    if run.status == "cancelled":
        raise UserError(f"run {run_id} was cancelled: order the import again")
    if run.status not in {"pending", "running"}:
        was = "is complete" if run.status == "complete" else "has failed"
        raise UserError(f"run {run_id} {was}: there is nothing to halt")
