"""The import that a proof orders, as `./sirenade import` does."""

from sqlalchemy import Engine

from deploy.local.simulator import DEPARTEMENT
from shared.imports import orders
from shared.imports.scope import Scope


def order_import(
    engine: Engine,
    *,
    row_limit: int | None = None,
    per_day: int | None = None,
    day_seconds: float | None = None,
) -> int:
    """Order an import of the simulator's département and return its run's id."""
    with engine.begin() as connection:
        return orders.order_import(
            connection,
            Scope(departements=[DEPARTEMENT]),
            row_limit=row_limit,
            per_day=per_day,
            day_seconds=day_seconds,
        )
