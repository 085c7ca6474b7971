"""Orders of imports. An order is a pending row of `import_runs`; the next free fetcher plans it.

No other module inserts runs.
"""

from datetime import datetime

from sqlalchemy import Connection, text

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
