"""Reads the constraints and indexes of a database, which alembic does not compare whole."""

from sqlalchemy import text

from shared.db.engine import make_engine

_DEFINITIONS = text("""
    SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
""")


def definitions(url: str) -> set[str]:
    """Return one line for each constraint and index, without alembic's own."""
    engine = make_engine(url, application_name="test")
    with engine.connect() as connection:
        found = set(connection.execute(_DEFINITIONS).scalars())
    engine.dispose()
    return {each for each in found if "alembic_version" not in each}
