"""The run that repairs the differences of a certificate or of a statement.

Rows that a certificate found may have been altered here: they are refreshed, whatever stands.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, text

from shared.db.locks import Lock, hold
from shared.errors import UserError
from shared.imports import absences
from shared.imports.orders import order_import, order_refresh
from shared.imports.progress import run_exists
from shared.imports.scope import SIRETS_PER_WINDOW, Scope
from shared.imports.statement import StatementSubject, read_sirets

_READ = text("""
    SELECT id, status, missing, surplus, altered, missing_sirets, surplus_sirets, altered_sirets,
      gone_sirets
    FROM certificates
    WHERE id = coalesce(:id, (SELECT max(id) FROM certificates WHERE status <> 'running'))
""")
_UNDER_WAY = text("""
    SELECT max(id) FROM import_runs
    WHERE status IN ('pending', 'running') AND sirets = CAST(:sirets AS text[])
""")
_REPAIRED_BY = text("""
    UPDATE certificates SET repair_run_id = coalesce(:run_id, repair_run_id) WHERE id = :id
""")


@dataclass(frozen=True)
class RepairOrder:
    """An ordered repair; no run where nothing differs. `left` counts unnamed differences."""

    subject: str
    run_id: int | None = None
    sirets: int = 0
    left: int = 0

    @property
    def requests(self) -> int:
        return math.ceil(self.sirets / SIRETS_PER_WINDOW)


def order_repair(
    connection: Connection, *, certificate_id: int | None, of_run: int | None
) -> RepairOrder:
    """Order the run. Raises UserError where an open run imports the same sirets already."""
    if of_run is not None and certificate_id is not None:
        raise UserError("say --certificate or --run, not both")
    # The second of two orders at once sees the first one's run.
    hold(connection, Lock.REPAIRS)
    if of_run is None:
        return _order_of_certificate(connection, certificate_id)
    if not run_exists(connection, of_run):
        raise UserError(f"there is no run {of_run}")
    sets = read_sirets(connection, StatementSubject(run_id=of_run))
    return _order(connection, f"run {of_run}", [*sets["missing"], *sets["surplus"]], order_import)


def _order_of_certificate(connection: Connection, certificate_id: int | None) -> RepairOrder:
    found = connection.execute(_READ, {"id": certificate_id}).one_or_none()
    if found is None and certificate_id is None:
        raise UserError("there is no certificate yet: ./sirenade certify --departement 33")
    if found is None:
        raise UserError(f"there is no certificate {certificate_id}")
    if found.status in {"running", "void"}:
        raise UserError(
            f"certificate {found.id} has no result, it is {found.status}: certify again"
        )
    missing, altered = found.missing_sirets or (), found.altered_sirets or ()
    surplus = found.surplus_sirets or ()
    sirets = [*missing, *surplus, *altered]
    left = max(0, found.missing + found.surplus + (found.altered or 0) - len(sirets))
    order = _order(connection, f"certificate {found.id}", sirets, order_refresh, left=left)
    # No record brings these up to date: INSEE does not list them.
    unlisted = [*surplus, *(found.gone_sirets or ())]
    extra = sorted({*altered}.difference(missing))
    absences.close_extra_pages(connection, extra, unlisted=unlisted)
    connection.execute(_REPAIRED_BY, {"id": found.id, "run_id": order.run_id})
    return order


def _order(
    connection: Connection,
    subject: str,
    sirets: list[str],
    order: Callable[[Connection, Scope], int],
    *,
    left: int = 0,
) -> RepairOrder:
    if not sirets:
        return RepairOrder(subject, left=left)
    wanted = sorted(set(sirets))
    run_id = connection.execute(_UNDER_WAY, {"sirets": wanted}).scalar()
    if run_id is not None:
        raise UserError(f"run {run_id} fetches the differences of {subject} already")
    run_id = order(connection, Scope(sirets=wanted))
    return RepairOrder(subject, run_id, len(wanted), left)
