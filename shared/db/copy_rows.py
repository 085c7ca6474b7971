"""Rows in the text format of PostgreSQL's COPY: tabs between columns."""

import io
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from shared.sirene.mapping.copy_values import ESCAPES

_CHUNK_BYTES = 64 * 1024


def copy_line(texts: Iterable[str | None]) -> str:
    """Return one row without its end of line; NULL is backslash-N."""
    return "\t".join(
        [
            "\\N"
            if text is None
            else text
            # A printable text holds no tab and no end of line: nearly every text needs no escape.
            if text.isprintable() and "\\" not in text
            else text.translate(ESCAPES)
            for text in texts
        ]
    )


def copy_into(
    connection: Connection,
    table: str,
    columns: Iterable[str],
    lines: Iterable[str],
    *,
    null: str = "\\N",
) -> None:
    """COPY the lines inside the connection's transaction; raise psycopg2's errors."""
    body = io.BytesIO("\n".join([*lines, ""]).encode())
    driver: Any = connection.connection.driver_connection
    options = f"ENCODING 'UTF8', NULL '{null}'"
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN WITH ({options})"
    with driver.cursor() as cursor:
        cursor.copy_expert(statement, body, _CHUNK_BYTES)
