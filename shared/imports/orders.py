"""Orders of imports. An order is a pending row of `import_runs`; the next free fetcher plans it.

No other module inserts runs.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from shared.db.locks import Lock, hold
from shared.imports.scope import Scope

# INSEE can write a row a little after others of a later date; a day's worth is some requests.
OVERLAP_HOURS = 24.0

_ORDER_IMPORT = text("""
    INSERT INTO import_runs (departements, communes, activites, etat_administratif, siret_from,
      siret_to, sirets, row_limit, per_day, day_seconds)
    VALUES (:departements, :communes, :activites, :etat_administratif, :siret_from, :siret_to,
      :sirets, :row_limit, :per_day, :day_seconds)
    RETURNING id
""")
_ORDER_REFRESH = text("""
    INSERT INTO import_runs (kind, siret_from, siret_to, sirets)
    VALUES ('refresh', :siret_from, :siret_to, :sirets)
    RETURNING id
""")
_ORDER_DELTA = text("""
    INSERT INTO import_runs (kind, since, overlap_hours, everything, wait_until)
    VALUES ('delta', CAST(:since AS timestamp), :overlap_hours, :everything,
      now() + make_interval(secs => :wait_minutes * 60))
    RETURNING id
""")

# Lists are compared as sets.
_UNDER_WAY = text("""
    SELECT id, per_day, day_seconds FROM import_runs
    WHERE kind = 'scope' AND status IN ('pending', 'running')
      AND (:any_scope AND per_day IS NOT NULL OR NOT :any_scope
        AND departements @> :departements AND departements <@ :departements
        AND communes @> :communes AND communes <@ :communes
        AND activites @> :activites AND activites <@ :activites
        AND sirets @> :sirets AND sirets <@ :sirets
        AND etat_administratif IS NOT DISTINCT FROM :etat_administratif
        AND siret_from IS NOT DISTINCT FROM :siret_from
        AND siret_to IS NOT DISTINCT FROM :siret_to)
      AND row_limit IS NOT DISTINCT FROM :row_limit
    ORDER BY id
""")


class UnderWay(NamedTuple):
    """An open run with the scope of an order, and its share of a day if it has one."""

    run_id: int
    per_day: int | None
    day_seconds: float | None


def find_under_way(
    connection: Connection, scope: Scope | None, *, row_limit: int | None
) -> list[UnderWay]:
    """Return the open imports of this scope, the oldest first; without one, all daily imports.

    No other order of an import comes in between until the transaction ends.
    """
    hold(connection, Lock.IMPORTS)
    wanted = columns_of(scope or Scope()) | {"any_scope": scope is None, "row_limit": row_limit}
    return [UnderWay(*row) for row in connection.execute(_UNDER_WAY, wanted)]


class OnceOrder(NamedTuple):
    """An order of an import; `goes_on` where a run of the same scope is open already."""

    run_id: int
    goes_on: bool


def order_import_once(
    connection: Connection, scope: Scope, *, row_limit: int | None = None
) -> OnceOrder:
    """Order an import, unless an open run has the same scope: return that one then."""
    for run in find_under_way(connection, scope, row_limit=row_limit):
        return OnceOrder(run.run_id, goes_on=True)
    return OnceOrder(order_import(connection, scope, row_limit=row_limit), goes_on=False)


def order_import(
    connection: Connection,
    scope: Scope,
    *,
    row_limit: int | None = None,
    per_day: int | None = None,
    day_seconds: float | None = None,
) -> int:
    """Order an import and return its run's id.

    `per_day` rows at most are fetched a day; `day_seconds` None is the calendar's day in France.
    """
    bounds = {"row_limit": row_limit, "per_day": per_day, "day_seconds": day_seconds}
    run_id: int = connection.execute(_ORDER_IMPORT, columns_of(scope) | bounds).scalar_one()
    return run_id


def order_refresh(connection: Connection, scope: Scope) -> int:
    """Order a unit or some sirets anew, to be stored whatever stands; return the run's id."""
    run_id: int = connection.execute(_ORDER_REFRESH, columns_of(scope)).scalar_one()
    return run_id


def order_delta(
    connection: Connection,
    *,
    since: datetime | None = None,
    overlap_hours: float = OVERLAP_HOURS,
    wait_minutes: float = 0.0,
    everything: bool = False,
) -> int:
    """Order a delta and return its run's id; a fetcher plans it after the older deltas.

    It brings what the database has been asked to hold, or `everything` of France.

    `since` is Paris time without an offset: needed once where there is no watermark, it reaches
    further back where there is one. For `wait_minutes` the delta waits for INSEE to publish.
    """
    order = {
        "since": since,
        "overlap_hours": overlap_hours,
        "wait_minutes": wait_minutes,
        "everything": everything,
    }
    run_id: int = connection.execute(_ORDER_DELTA, order).scalar_one()
    return run_id


def columns_of(scope: Scope) -> dict[str, object]:
    """Return the scope by the columns of `import_runs`, its sequences as lists."""
    return {
        name: value if value is None or isinstance(value, str) else list(value)
        for name, value in vars(scope).items()
    }
