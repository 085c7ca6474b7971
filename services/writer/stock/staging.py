"""The staging table: a twin of the register's table, filled in chunks, then put in its place."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg2
from sqlalchemy import Connection, Engine, Row, text
from sqlalchemy.exc import IntegrityError

from services.writer.erasure.tombstones import hold_register
from services.writer.slices.drift import Drift
from services.writer.stock import log
from services.writer.stock.columns import StockCollection, key_of
from services.writer.stock.days_ahead import note_staged
from services.writer.stock.erasure import honour_stored
from services.writer.stock.log import LoadStatus, StockLoad
from services.writer.stock.refusals import RefusedRow
from services.writer.stock.statements import drop_duplicates
from services.writer.stock.values import Chunk
from services.writer.trades import STAGED_TRADES
from shared.db.outages import blames_row
from shared.db.personal_columns import PERSONAL, keep_no_statistics
from shared.db.tables.stock import stock_loads
from shared.logs import sqlstate

_MAINTENANCE_MEMORY = text("SET LOCAL maintenance_work_mem = '256MB'")
_INDEXES = text("""
    SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition,
      i.indisprimary AS is_primary
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = CAST(:table AS regclass)
    ORDER BY NOT i.indisprimary, c.relname
""")
_INDEXED_COLUMNS = text("""
    SELECT DISTINCT a.attname
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
    WHERE i.indrelid = CAST(:table AS regclass)
""")
_OPTIONS = text("""
    SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = CAST(:table AS regclass)
""")
_GRANTS = text("""
    SELECT format('GRANT %s%s ON TABLE %s TO %s', a.privilege_type, a.columns, :to,
      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
    FROM (
      SELECT (aclexplode(relacl)).*, '' AS columns FROM pg_class
      WHERE oid = CAST(:table AS regclass)
      UNION ALL
      SELECT (aclexplode(attacl)).*, format(' (%I)', attname) FROM pg_attribute
      WHERE attrelid = CAST(:table AS regclass)) a
    WHERE a.grantee <> (SELECT relowner FROM pg_class WHERE oid = CAST(:table AS regclass))
""")
# A view would be dropped with the table; a trigger or a publication would miss the rows, which come
# under the name of the twin. Triggers of our own, which note what changes, go over to the twin.
_IS_TIED = text("""
    SELECT EXISTS (
        SELECT FROM pg_depend d
        WHERE d.refobjid = CAST(:table AS regclass) AND d.refclassid = 'pg_class'::regclass
          AND d.classid = 'pg_rewrite'::regclass AND d.deptype = 'n')
      OR EXISTS (SELECT FROM pg_trigger
        WHERE tgrelid = CAST(:table AS regclass) AND NOT starts_with(tgname, 'note_'))
      OR EXISTS (SELECT FROM pg_publication_rel WHERE prrelid = CAST(:table AS regclass))
""")
_TRIGGERS = text("""
    SELECT pg_get_triggerdef(oid) FROM pg_trigger
    WHERE tgrelid = CAST(:table AS regclass) AND NOT tgisinternal ORDER BY tgname
""")
_BLOCKS = text("""
    SELECT pg_relation_size(CAST(:table AS regclass)) / current_setting('block_size')::int
""")


def is_empty(connection: Connection, table: str) -> bool:
    return not connection.scalar(text(f"SELECT EXISTS (SELECT FROM {table})"))


def count_blocks(connection: Connection, load: StockLoad) -> int:
    return int(connection.scalar(_BLOCKS, {"table": load.staging}) or 0)


def count_head_offices(connection: Connection, load: StockLoad) -> int:
    return int(connection.scalar(text(f"SELECT count(*) FROM {load.staging} WHERE siege")) or 0)


def exists(connection: Connection, table: str) -> bool:
    return connection.scalar(text("SELECT to_regclass(:table)"), {"table": table}) is not None


def count_rows(connection: Connection, table: str) -> int:
    return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def can_be_swapped(connection: Connection, collection: StockCollection) -> bool:
    """Return whether the table is empty, and all that hangs on it can go over to its twin."""
    return is_empty(connection, collection) and not connection.scalar(
        _IS_TIED, {"table": collection}
    )


def analyze(connection: Connection, table: str) -> None:
    """Analyze the indexed columns for the queries that follow; autovacuum does the rest."""
    columns = connection.execute(_INDEXED_COLUMNS, {"table": table}).scalars().all()
    connection.exec_driver_sql(f"ANALYZE {table} ({', '.join(columns)})")


def create(connection: Connection, load: StockLoad) -> None:
    """Make the twin without its indexes; without WAL unless it becomes the table."""
    options = connection.scalar(_OPTIONS, {"table": load.collection})
    more = f"{options}, " if options else ""
    kind = "" if load.way == "swap" else "UNLOGGED "
    connection.exec_driver_sql(
        f"CREATE {kind}TABLE {load.staging} (LIKE {load.collection} INCLUDING ALL"
        f" EXCLUDING INDEXES) WITH ({more}autovacuum_enabled = false)"
    )
    # The empty hash lets the first record from the API count as a change, once.
    connection.exec_driver_sql(
        f"ALTER TABLE {load.staging} ALTER content_hash SET DEFAULT '',"
        f" ALTER fetched_at SET DEFAULT '{load.fetched_at.isoformat()}'"
    )
    # LIKE does not bring it.
    connection.exec_driver_sql(keep_no_statistics(load.staging, PERSONAL[load.collection]))
    _grant(connection, load)


def _grant(connection: Connection, load: StockLoad) -> None:
    """Let roles do with the twin what they may do with the table: an erasure reaches both."""
    those = {"table": load.collection, "to": load.staging}
    for statement in connection.execute(_GRANTS, those).scalars().all():
        connection.exec_driver_sql(statement)


def drop(connection: Connection, load: StockLoad) -> None:
    connection.execute(text(f"DROP TABLE IF EXISTS {load.staging}, {STAGED_TRADES}"))


def give_up(connection: Connection, load: StockLoad, status: LoadStatus) -> None:
    drop(connection, load)
    log.set_status(connection, load, status)


def store_chunk(engine: Engine, load: StockLoad, number: int, chunk: Chunk, drift: Drift) -> None:
    """Store the rows and the note of the chunk, in one transaction.

    An error that blames a row refuses that row alone. Raises psycopg2's other errors.
    """
    try:
        with engine.begin() as connection:
            _copy(connection, load, chunk)
            _note_turns(connection, load, chunk)
            drift.note(connection, codes=chunk.unknown_codes)
            log.keep_chunk(connection, load, number, len(chunk.rows), chunk)
    except psycopg2.Error as error:
        if not blames_row(error):
            raise
        with engine.begin() as connection:
            refused = list(_copy_halves(connection, load, chunk))
            _note_turns(connection, load, chunk)
            drift.note(connection, codes=chunk.unknown_codes)
            stored = len(chunk.rows) - len(refused)
            log.keep_chunk(connection, load, number, stored, chunk.without(refused))
    drift.remember(codes=chunk.unknown_codes)


def _note_turns(connection: Connection, load: StockLoad, chunk: Chunk) -> None:
    """Note the periods ahead of rows that are swapped in; a merge looks for itself."""
    if load.collection == "etablissements" and load.way == "swap":
        note_staged(connection, chunk.rows, on=load.on)


def _copy(connection: Connection, load: StockLoad, chunk: Chunk) -> None:
    if not len(chunk.rows):
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.copy_expert(
            f"COPY {load.staging} ({', '.join(chunk.rows.schema.names)}) FROM STDIN (NULL '')",
            chunk.stream(),
            1 << 20,
        )


def _copy_halves(connection: Connection, load: StockLoad, chunk: Chunk) -> Iterator[RefusedRow]:
    try:
        with connection.begin_nested():
            _copy(connection, load, chunk)
    except psycopg2.Error as error:
        if not blames_row(error):
            raise
        if len(chunk.rows) == 1:
            key = chunk.rows.column(key_of(load.collection))[0].as_py()
            # The server's message quotes the row; its SQLSTATE does not.
            yield RefusedRow(key, f"sqlstate_{sqlstate(error)}", chunk.lines[0].as_py())
            return
        for half in chunk.halves():
            yield from _copy_halves(connection, load, half)


def missing_indexes(connection: Connection, load: StockLoad) -> list[Row[Any]]:
    """Return the indexes that the twin does not have yet, the primary key first."""
    indexes = connection.execute(_INDEXES, {"table": load.collection}).all()
    return [index for index in indexes if not exists(connection, f"stock_{index.name}")]


def build_index(engine: Engine, load: StockLoad, index: Row[Any]) -> int:
    """Build the index; return how many rows were dropped because the file has their key twice."""
    dropped = 0
    try:
        _build(engine, load, index)
    except IntegrityError:
        if not index.is_primary:
            raise
        with engine.begin() as connection:
            dropped = connection.execute(drop_duplicates(load.collection)).rowcount
            log.note(connection, load, rows=stock_loads.c.rows - dropped)
        _build(engine, load, index)
    return dropped


def _build(engine: Engine, load: StockLoad, index: Row[Any]) -> None:
    moved, count = re.subn(
        r" INDEX (\S+) ON \S+ USING ",
        rf" INDEX stock_\1 ON {load.staging} USING ",
        index.definition,
        count=1,
    )
    assert count == 1, index.definition
    with engine.begin() as connection:
        connection.execute(_MAINTENANCE_MEMORY)
        # The driver would take a percent sign for a parameter.
        connection.exec_driver_sql(moved.replace("%", "%%"))


def swap(connection: Connection, load: StockLoad) -> bool:
    """Put the twin in the table's place; return False where the table has rows by now.

    Readers see the empty table until the caller commits, and then all rows.
    """
    table, twin = load.collection, load.staging
    # No slice is under way, and nobody can withdraw between the look at the tombstones and the
    # commit.
    hold_register(connection)
    connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
    if not is_empty(connection, table):
        return False
    indexes = connection.execute(_INDEXES, {"table": table}).all()
    triggers = connection.execute(_TRIGGERS, {"table": table}).scalars().all()
    _grant(connection, load)
    for statement in (
        f"DROP TABLE {table}",
        f"ALTER TABLE {twin} ALTER content_hash DROP DEFAULT, ALTER fetched_at DROP DEFAULT",
        f"ALTER TABLE {twin} RESET (autovacuum_enabled)",
        f"ALTER TABLE {twin} RENAME TO {table}",
        *(f"ALTER INDEX stock_{index.name} RENAME TO {index.name}" for index in indexes),
        *(
            f"ALTER TABLE {table} ADD CONSTRAINT {index.name} PRIMARY KEY USING INDEX {index.name}"
            for index in indexes
            if index.is_primary
        ),
        *triggers,
    ):
        connection.exec_driver_sql(statement)
    honour_stored(connection, table)
    return True
