"""Migrations, run from code: no ini file to find, no URL in a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from shared.db.engine import temporary_engine
from shared.db.locks import Lock, hold
from shared.errors import UserError


class UnknownRevision(UserError):
    """Raised when this version has no way from the database's revision to its own."""


_MIGRATIONS = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    # `%` would start an interpolation in the path of an unlucky folder.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def head_revision() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def current_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(url: str) -> str | None:
    """Bring the database to the latest revision, and return it; several at once queue up."""
    options = {"application_name": "sirenade-migrate", "statement_timeout_seconds": 0}
    with temporary_engine(url, **options) as engine, engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        hold(connection, Lock.MIGRATION)
        _require_known(current_revision(connection))
        command.upgrade(_config(connection), "head")
        return current_revision(connection)


def _require_known(revision: str | None) -> None:
    scripts = list(ScriptDirectory.from_config(_config()).walk_revisions())
    known = {script.revision for script in scripts}
    if revision is None or revision in known:
        return
    if revision < min(known):
        raise UnknownRevision(
            f"the database schema is at revision {revision}, older than release 1.0.0:"
            " migrate it with the last version before 1.0.0 first"
        )
    raise UnknownRevision(
        f"the database schema is at revision {revision}, which this version does not know:"
        " use the version of Sirenade that made it, or a newer one"
    )


def require_current(connection: Connection) -> None:
    """Raise UserError where the database is not at the revision that this code expects."""
    if current_revision(connection) != head_revision():
        raise UserError("the database schema is not current: run ./sirenade migrate")


@contextmanager
def current_engine(
    url: str, *, application_name: str, pool_size: int = 1, statement_timeout_seconds: int = 60
) -> Iterator[Engine]:
    """Connect to a database for a command. Raises UserError where its schema is not current.

    A timeout of 0 means none.
    """
    with temporary_engine(
        url,
        application_name=application_name,
        pool_size=pool_size,
        statement_timeout_seconds=statement_timeout_seconds,
    ) as engine:
        with engine.connect() as connection:
            require_current(connection)
        yield engine
