"""The tables of a database, as a backup takes them: their columns, rows and identities."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

from shared.archive.manifest import StoredSequence
from shared.db.engine import temporary_engine

# A generated column is made anew by the database.
_TABLES = text("""
    SELECT c.relname, array_agg(CAST(a.attname AS text) ORDER BY a.attnum)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
      AND c.relname <> 'alembic_version'
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    GROUP BY c.relname ORDER BY c.relname
""")
_IDENTITIES = text("""
    SELECT c.relname, pg_get_serial_sequence(c.relname, a.attname)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attidentity <> ''
""")


@contextmanager
def transaction_on(url: str, *, marked_too: bool = False) -> Iterator[Connection]:
    """Yield a transaction that sees one state of the database, for as long as it takes."""
    options: dict[str, Any] = {"statement_timeout_seconds": 0, "marked_too": marked_too}
    with (
        temporary_engine(url, application_name="sirenade-backup", **options) as engine,
        engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
        connection.begin(),
    ):
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        yield connection


def tables_of(connection: Connection, names: Collection[str] | None = None) -> dict[str, list[str]]:
    """Return the columns of each table, of those with these names alone if any are given."""
    found = {name: list(columns) for name, columns in connection.execute(_TABLES)}
    return {name: found[name] for name in found if names is None or name in names}


def sequences_of(connection: Connection) -> dict[str, str]:
    """Return the sequence of each table that has an identity."""
    return {str(table): str(sequence) for table, sequence in connection.execute(_IDENTITIES)}


def read_sequences(connection: Connection, tables: Collection[str]) -> dict[str, StoredSequence]:
    return {
        table: StoredSequence.model_validate(
            connection.execute(text(f"SELECT last_value, is_called FROM {sequence}"))
            .mappings()
            .one()
        )
        for table, sequence in sequences_of(connection).items()
        if table in tables
    }


def set_sequences(connection: Connection, stored: Mapping[str, StoredSequence]) -> None:
    own = sequences_of(connection)
    for table, value in stored.items():
        connection.execute(
            text("SELECT setval(CAST(:sequence AS regclass), :last_value, :is_called)"),
            {"sequence": own[table], **value.model_dump()},
        )


def copy(connection: Connection, table: str, columns: Sequence[str], way: str, stream: Any) -> int:
    """Copy the rows, `TO STDOUT` or `FROM STDIN`, and return their number."""
    driver: Any = connection.connection.driver_connection
    listed = ", ".join(f'"{column}"' for column in columns)
    with driver.cursor() as cursor:
        cursor.copy_expert(f'COPY "{table}" ({listed}) {way}', stream, 1 << 20)
        return int(cursor.rowcount)
