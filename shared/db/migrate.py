"""Migrations, run from code: no ini file to find, no URL in a file.

The way back to the last release is what its code still needs of a schema that has gone on. It opens
when `upgrade` finds the schema of that release, so that the release's services work on the new
schema until they are replaced, and again after a rollback. A new database has none, since no old
code ever works on it. `give_up_way_back` closes it, and so does the next release.

That code starts only where `version_num` is its own head. While the way back is open, it is, and
the column `actual` has the true revision.
"""

from collections.abc import Iterator
from contextlib import contextmanager
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


RELEASE = "1.0.0"
RELEASE_HEAD = "0020"

_IS_OPEN = text("""
    SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('alembic_version')
      AND attname = 'actual' AND NOT attisdropped)
""")
_ADD = text("ALTER TABLE alembic_version ADD COLUMN actual text")
_HIDE = text("UPDATE alembic_version SET actual = version_num, version_num = :head")
_SHOW = text("UPDATE alembic_version SET version_num = actual")
_REMOVE = text("ALTER TABLE alembic_version DROP COLUMN actual")
# Release 1.0.0 infers it for its pages. One page for an establishment is stricter.
_ADD_INDEX = text("""
    CREATE UNIQUE INDEX way_back_pages
    ON pro_localisations (siret, activite_principale, code_commune)
""")
_REMOVE_INDEX = text("DROP INDEX way_back_pages")
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
    is_released = current_revision(connection) == RELEASE_HEAD
    with _true_revision(connection):
        command.upgrade(_config(connection), revision)
    if revision == "head":
        if is_released and not _is_open(connection):
            _open_way_back(connection)
        renew_grants(connection)
    return current_revision(connection)


def _is_open(connection: Connection) -> bool:
    return bool(connection.scalar(_IS_OPEN))


def _open_way_back(connection: Connection) -> None:
    connection.execute(_ADD)
    connection.execute(_HIDE, {"head": RELEASE_HEAD})
    connection.execute(_ADD_INDEX)


def _close_way_back(connection: Connection) -> None:
    connection.execute(_REMOVE_INDEX)
    connection.execute(_SHOW)
    connection.execute(_REMOVE)


@contextmanager
def _true_revision(connection: Connection) -> Iterator[None]:
    """Show the true revision to a migration, in the caller's transaction."""
    was_open = _is_open(connection)
    if was_open:
        connection.execute(_SHOW)
    yield
    if was_open and _is_open(connection):
        connection.execute(_HIDE, {"head": RELEASE_HEAD})


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


def give_up_way_back(url: str) -> bool:
    """Let the code of the last release no longer work on this database. Return whether it could."""
    with (
        temporary_engine(url, application_name="sirenade-migrate") as engine,
        engine.begin() as connection,
    ):
        hold(connection, Lock.MIGRATION)
        become_owner(connection)
        was_open = _is_open(connection)
        if was_open:
            _close_way_back(connection)
    return was_open


def migrate_all(settings: DatabaseSettings, *, with_way_back: bool = True) -> str | None:
    """Bring every database to the latest revision, and give each shard its place.

    Raises UserError where a database holds units of another shard.
    """
    urls = [settings.database_url.get_secret_value(), *remote_urls(settings)]
    revision, *_ = [upgrade(url) for url in urls]
    for url in () if with_way_back else urls:
        give_up_way_back(url)
    take_places(settings)
    return revision
