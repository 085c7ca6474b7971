"""Poolers such as pgbouncer: in transaction mode they lose what belongs to a session.

Statements that are prepared once, temporary tables and the limits of a session would be those of
another client. The start says so, and `doctor` where a URL leads to such a pooler.
"""

from sqlalchemy import Connection, text

from shared.errors import UserError

LOCK_TIMEOUT = "10s"
_SHOWN = text("SELECT current_setting('lock_timeout')")


def refuse_pooler(connection: Connection) -> None:
    """Raise UserError where the server did not take the settings of the session."""
    if connection.scalar(_SHOWN) != LOCK_TIMEOUT:
        raise UserError(
            "a pooler such as pgbouncer stands before PostgreSQL and drops the settings of a"
            " session: name PostgreSQL itself in SIRENADE_DATABASE_URL (each process keeps its few"
            " connections), or give the pooler pool_mode = session and take options out of its"
            " ignore_startup_parameters"
        )
