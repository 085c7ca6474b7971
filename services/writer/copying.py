"""Rows in the text format of PostgreSQL's COPY: tabs between columns, backslash-N for NULL."""

import datetime as dt
import io
import re
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

_SPECIAL = re.compile(r"[\\\t\n\r]").search
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_line(values: Iterable[object]) -> str:
    """One row, without its end of line."""
    return "\t".join(
        [
            "\\N"
            if value is None
            else value
            if type(value) is str and value.isalnum()  # most are, and need no escape
            else _field(value)
            for value in values
        ]
    )


def _field(value: object) -> str:
    match value:
        case str():
            return value.translate(_ESCAPES) if _SPECIAL(value) else value
        case bool():
            return "t" if value else "f"
        case bytes():
            return "\\\\x" + value.hex()
        case dt.datetime() | dt.date():
            return value.isoformat()
        case _:
            return repr(value)


def copy_into(
    connection: Connection, table: str, columns: Iterable[str], lines: Iterable[str]
) -> None:
    """COPY the lines inside the connection's transaction.

    Raises psycopg2's errors, SQLAlchemy knows nothing of this statement.
    """
    body = io.BytesIO("".join([line + "\n" for line in lines]).encode())
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", body)
