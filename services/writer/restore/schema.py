"""Indexes, keys and triggers of an empty database: away while its rows come, then back again."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Row, text

_IS_EMPTY = text("""
    SELECT NOT EXISTS (SELECT FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p'))
""")
# A key's index goes with it. Foreign keys go first and come last: they need the others.
_TAKEN = text("""
    SELECT 1 AS turn, format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)
        AS away,
      format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname,
        pg_get_constraintdef(oid)) AS back
    FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype = 'f'
    UNION ALL
    SELECT 2, format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
      format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname,
        pg_get_constraintdef(oid))
    FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u')
      AND conrelid <> 'alembic_version'::regclass
    UNION ALL
    SELECT 3, format('DROP INDEX %s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace = 'public'::regnamespace AND NOT EXISTS (
      SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u'))
    ORDER BY turn, away
""")


def is_empty(connection: Connection) -> bool:
    return bool(connection.scalar(_IS_EMPTY))


@contextmanager
def bare(connection: Connection, tables: Iterable[str]) -> Iterator[None]:
    """Empty the tables, and take away what would slow or change the rows that come."""
    names = [f'"{table}"' for table in tables]
    taken = connection.execute(_TAKEN).all()
    _alter(connection, names, "DISABLE")
    connection.exec_driver_sql(f"TRUNCATE {', '.join(names)}")
    for each in taken:
        connection.exec_driver_sql(each.away)
    yield
    connection.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
    for each in reversed(taken):
        _give_back(connection, each)
    _alter(connection, names, "ENABLE")


def _alter(connection: Connection, names: Iterable[str], verb: str) -> None:
    for name in names:
        connection.exec_driver_sql(f"ALTER TABLE {name} {verb} TRIGGER USER")


def _give_back(connection: Connection, taken: Row[tuple[int, str, str]]) -> None:
    # The driver would take a percent sign for a parameter.
    connection.exec_driver_sql(taken.back.replace("%", "%%"))
