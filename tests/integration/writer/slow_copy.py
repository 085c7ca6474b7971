"""A COPY that sleeps on its first row, and is ended there: its row is then the server's context."""

from sqlalchemy import Engine, text

from tests.system.conftest import wait_for

SLOW = "nom IS NULL OR pg_sleep(30)::text = ''"
_COPIES = text("""
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE 'COPY %' AND wait_event = 'PgSleep'
""")


def end_copy(engine: Engine) -> None:
    """Wait for the COPY, and end its session as an administrator or a restart does."""
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        pid = wait_for(lambda: connection.scalar(_COPIES), seconds=40, what="the COPY")
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
