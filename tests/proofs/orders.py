"""What a proof orders of the services, as `./sirenade import` does."""

from sqlalchemy import Engine, text

from deploy.local.simulator import DEPARTEMENT

_IMPORT = text("""
    INSERT INTO import_runs (departements, row_limit, per_day, day_seconds)
    VALUES (:departements, :row_limit, :per_day, :day_seconds) RETURNING id
""")


def order_import(
    engine: Engine,
    *,
    row_limit: int | None = None,
    per_day: int | None = None,
    day_seconds: float | None = None,
) -> int:
    """The run's id; of the whole register without a limit."""
    order = {"row_limit": row_limit, "per_day": per_day, "day_seconds": day_seconds}
    with engine.begin() as connection:
        run_id: int = connection.execute(
            _IMPORT, {"departements": [DEPARTEMENT], **order}
        ).scalar_one()
    return run_id
