"""The mark of a restored database: it shows what was erased since the backup.

`restore` commits it together with the rows. While it stands, nothing but the erasures themselves
and `migrate` gets a connection.
"""

from typing import Any

import psycopg2
from sqlalchemy import Connection, text

_TABLE = "restore_marks"


class MarkedDatabase(psycopg2.OperationalError):
    """Raised by each connection to a marked database; to a running service it is an outage."""


def set_mark(connection: Connection, backup_id: str) -> None:
    connection.execute(text(f"INSERT INTO {_TABLE} (backup_id) VALUES (:id)"), {"id": backup_id})


def read_mark(connection: Connection) -> str | None:
    """Return the backup that a marked database was restored from."""
    is_there = connection.scalar(text(f"SELECT to_regclass('{_TABLE}')")) is not None
    found = connection.scalar(text(f"SELECT backup_id FROM {_TABLE}")) if is_there else None
    return None if found is None else str(found)


def clear_mark(connection: Connection) -> None:
    connection.execute(text(f"DELETE FROM {_TABLE}"))


def refuse_marked(driver_connection: Any, _record: object) -> None:
    """Raise MarkedDatabase where the mark stands, and close the connection."""
    with driver_connection.cursor() as cursor:
        try:
            cursor.execute(f"SELECT EXISTS (SELECT FROM {_TABLE})")
            (is_marked,) = cursor.fetchone()
        except psycopg2.errors.UndefinedTable:
            # Nothing is stored, or the schema is older: commands ask for its revision.
            is_marked = False
    driver_connection.rollback()
    if is_marked:
        driver_connection.close()
        raise MarkedDatabase(
            "this database was restored and shows what was erased since: run ./sirenade forget "
            "--apply FILE with the newest export of erasures (--apply store: with what the store "
            "keeps)"
        )
