"""Migrations, run from code: no ini file to find, no URL in a file."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from shared.db import server_copies
from shared.db.engine import temporary_engine
from shared.db.grants import become_owner, renew_grants
from shared.db.locks import Lock, hold
from shared.db.revision import current_revision
from shared.db.shards import remote_urls, take_places
from shared.errors import UserError
from shared.settings import DatabaseSettings


class UnknownRevision(UserError):
    """Raised when this version has no way from the database's revision to its own."""


_MIGRATIONS = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    # `%` would start an interpolation in the path of an unlucky folder.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(url: str) -> str | None:
    """Bring the database to the latest revision, and return it; several at once queue up.

    Where the database has roles, they get the privileges of this version.
    """
    options: dict[str, Any] = {"statement_timeout_seconds": 0, "marked_too": True}
    with temporary_engine(url, application_name="sirenade-migrate", **options) as engine:
        with engine.begin() as connection:
            revision = upgrade_within(connection)
        # The session's own role may do more than the owner of the tables.
        with engine.begin() as connection:
            server_copies.prevent(connection)
    return revision


def upgrade_within(connection: Connection, revision: str = "head") -> str | None:
    """Bring the database to the revision in the caller's transaction. Raises UnknownRevision.

    The transaction goes on as the owner of the database, where that is a role of ours.
    """
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    hold(connection, Lock.MIGRATION)
    _require_known(current_revision(connection))
    if revision != "head":
        _require_known(revision)
    become_owner(connection)
    command.upgrade(_config(connection), revision)
    if revision == "head":
        renew_grants(connection)
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


def migrate_all(settings: DatabaseSettings) -> str | None:
    """Bring every database to the latest revision, and give each shard its place.

    Raises UserError where a database holds units of another shard.
    """
    revision = upgrade(settings.database_url.get_secret_value())
    for url in remote_urls(settings):
        upgrade(url)
    take_places(settings)
    return revision
