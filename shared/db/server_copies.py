"""The copies of rows that PostgreSQL makes by itself, in its log and in its statistics.

The log quotes rows by default: a COPY that ends early (`CONTEXT: COPY …, line N: "…"`), a check
that a row violates (`DETAIL: Failing row contains`), a statement with its values
(`STATEMENT: …`), the statement of a killed session (`Failed process was running`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import ProgrammingError

from shared.db.engine import temporary_engine
from shared.db.personal_columns import PERSONAL
from shared.logs import sqlstate

_NO_RIGHT = "42501"

# These keep the rows of failed statements out of the log; a database may have its own.
LOG_SETTINGS: Mapping[str, str] = {
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# These write statements, failed or not. Every other value quotes rows.
_SILENT: Mapping[str, tuple[str, ...]] = {
    **{name: (value,) for name, value in LOG_SETTINGS.items()},
    "log_statement": ("none", "ddl"),
    "log_min_duration_statement": ("-1",),
    "log_min_duration_sample": ("-1",),
    "log_transaction_sample_rate": ("0",),
    "debug_print_plan": ("off",),
    "debug_print_parse": ("off",),
    "debug_print_rewritten": ("off",),
    "auto_explain.log_min_duration": ("-1",),
}
# The other forms of the log hold details and contexts, however terse it is.
_TERSE_DESTINATIONS = frozenset({"stderr", "syslog", "eventlog"})

_SETTINGS = text("""
    SELECT name, setting, source FROM pg_settings
    WHERE name = ANY(:names) OR name = 'log_destination'
    ORDER BY name
""")
# The processes of the server itself, which report killed sessions, have no database.
_OF_SESSIONS_ALONE = frozenset({"database", "user", "database user", "client", "session"})
_DATABASE = text("SELECT quote_ident(current_database())")
_STATISTICS = text("""
    SELECT DISTINCT tablename || '.' || attname FROM pg_stats
    WHERE schemaname = current_schema() AND (tablename, attname) IN (
      SELECT * FROM unnest(CAST(:tables AS text[]), CAST(:columns AS text[])))
    ORDER BY 1
""")
_IS_SUPERUSER = text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
_NEWEST_CLEARS = text("SELECT to_regproc('pg_clear_attribute_stats') IS NOT NULL")
CLEAR_AS_SUPERUSER = (
    "DELETE FROM pg_statistic s USING pg_attribute a WHERE a.attrelid = s.starelid"
    " AND a.attnum = s.staattnum AND a.attstattarget = 0"
)
_CLEAR_AS_OWNER = text("""
    SELECT pg_clear_attribute_stats(schemaname, tablename, attname, false) FROM pg_stats
    WHERE schemaname = current_schema() AND (tablename, attname) IN (
      SELECT * FROM unnest(CAST(:tables AS text[]), CAST(:columns AS text[])))
""")
_COLUMNS = {
    "tables": [table for table, columns in PERSONAL.items() for _ in columns],
    "columns": [column for columns in PERSONAL.values() for column in columns],
}


def prevent(connection: Connection) -> None:
    """Keep rows out of the log and the statistics as far as the role may; `find` says the rest.

    The settings of the log hold for the sessions of this database that begin afterwards.
    """
    database = connection.scalar(_DATABASE)
    wrong = {row.name for row in _wrong_settings(connection)}
    for name, value in LOG_SETTINGS.items():
        if name in wrong:
            _try(connection, f"ALTER DATABASE {database} SET {name} = '{value}'")
    if not connection.scalars(_STATISTICS, _COLUMNS).all():
        return
    if connection.scalar(_NEWEST_CLEARS):
        connection.execute(_CLEAR_AS_OWNER, _COLUMNS)
    elif connection.scalar(_IS_SUPERUSER):
        connection.exec_driver_sql(CLEAR_AS_SUPERUSER)


def find_at(url: str) -> list[str]:
    """Return what `find` says of the server of this database, in a session of its own."""
    options = {"application_name": "sirenade-migrate", "marked_too": True}
    with temporary_engine(url, **options) as engine, engine.connect() as connection:
        return list(find(connection))


def find(connection: Connection) -> Iterator[str]:
    """Yield a sentence on each copy of rows that this server makes, with what to do about it."""
    for row in _wrong_settings(connection):
        wanted = _SILENT[row.name][0]
        yield (
            f"PostgreSQL's log quotes people's rows: {row.name} is {row.setting}."
            f" As a superuser: ALTER SYSTEM SET {row.name} = '{wanted}'; SELECT pg_reload_conf()"
        )
    settings = {row.name: row for row in connection.execute(_SETTINGS, {"names": list(_SILENT)})}
    for name, value in LOG_SETTINGS.items():
        row = settings[name]
        if row.setting == value and row.source in _OF_SESSIONS_ALONE:
            yield (
                f"PostgreSQL's log may quote the statement of a killed session: {name} is"
                f" {value} for this database, but not known for the server."
                f" As a superuser: ALTER SYSTEM SET {name} = '{value}'; SELECT pg_reload_conf()"
            )
    destinations = {each.strip() for each in settings["log_destination"].setting.split(",")}
    if others := sorted(destinations - _TERSE_DESTINATIONS):
        yield (
            f"PostgreSQL's log quotes people's rows: as {' and '.join(others)} it is never terse."
            " Set log_destination = 'stderr'"
        )
    if kept := connection.scalars(_STATISTICS, _COLUMNS).all():
        yield (
            f"PostgreSQL's statistics show values of {', '.join(kept)}."
            f" As a superuser, in this database: {CLEAR_AS_SUPERUSER}"
        )


def _wrong_settings(connection: Connection) -> list[Row[Any]]:
    rows = connection.execute(_SETTINGS, {"names": list(_SILENT)}).all()
    return [row for row in rows if row.name in _SILENT and row.setting not in _SILENT[row.name]]


def _try(connection: Connection, statement: str) -> None:
    """Run the statement; leave it where the role has no right to it."""
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(statement)
    except ProgrammingError as error:
        if sqlstate(error) != _NO_RIGHT:
            raise
