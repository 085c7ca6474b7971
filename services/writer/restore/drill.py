"""A drill: the newest backup is restored into databases of its own, counted, erased again, dropped.

Its row is in the live database, which it changes in nothing else.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Connection, Engine, func, select, table, text

from services.writer.restore.scratch import ScratchServer
from shared.archive.manifest import Manifest, StoredDatabase
from shared.archive.settings import BackupSettings
from shared.archive.storage import StorageError
from shared.archive.tables import transaction_on
from shared.db.revision import head_revision
from shared.db_url import database_address
from shared.errors import SirenadeError
from shared.logs import name_of
from shared.terminal.words import thousands

_BEGIN = text("INSERT INTO restore_drills DEFAULT VALUES RETURNING id")
_END = text("""
    UPDATE restore_drills SET outcome = :outcome, result = :result, backup_id = :backup_id,
      backup_made_at = :made_at, rows = :rows, ended_at = clock_timestamp()
    WHERE id = :id
""")
_LIST = text("""
    SELECT began_at, backup_id, backup_made_at, rows, outcome, result FROM restore_drills
    ORDER BY id DESC LIMIT 50
""")
# A restore empties the one, and marks the database in the other.
_OF_THE_RESTORE = frozenset({"page_changes", "restore_marks"})


@dataclass(frozen=True)
class Drill:
    """`restore` fills the databases of the settings; `erase` erases again, and counts rows."""

    settings: BackupSettings
    server: ScratchServer
    restore: Callable[[BackupSettings], Manifest]
    erase: Callable[[BackupSettings], Counter[str]]

    def run(self, live: Engine) -> str:
        """Restore the newest backup for a trial, and say what came of it.

        Raises SirenadeError, once the row says so, where the backup is not whole.
        """
        with live.begin() as connection:
            drill_id: int = connection.execute(_BEGIN).scalar_one()
        found: dict[str, Any] = {"backup_id": None, "made_at": None, "rows": 0}
        try:
            found["result"] = self._try(found)
        except BaseException as error:
            told = str(error) if isinstance(error, SirenadeError) else name_of(error)
            _end(live, {**found, "id": drill_id, "outcome": "failed", "result": told})
            raise
        finally:
            self.server.drop()
        _end(live, {**found, "id": drill_id, "outcome": "passed"})
        return str(found["result"])

    def _try(self, found: dict[str, Any]) -> str:
        live_urls = distinct_urls(self.settings)
        urls = self.server.make(len(live_urls))
        scratch = pointed_at(self.settings, dict(zip(live_urls, urls, strict=True)))
        manifest = self.restore(scratch)
        found |= {"backup_id": manifest.id, "made_at": manifest.made_at, "rows": manifest.rows}
        if manifest.revision == head_revision():
            for url, stored in zip(urls, manifest.databases, strict=True):
                with transaction_on(url, marked_too=True) as connection:
                    require_counts(connection, stored)
        erased = self.erase(scratch)
        return (
            f"{manifest.id} is whole: {thousands(manifest.rows)} rows are as its manifest says, "
            f"{thousands(erased.total())} erased again"
        )


def distinct_urls(settings: BackupSettings) -> list[str]:
    """Return the URL of the control database, then of each shard in another one."""
    control = settings.database_url.get_secret_value()
    at = database_address(control)
    return [control, *(url for url in settings.shard_urls if database_address(url) != at)]


def pointed_at(settings: BackupSettings, by_url: dict[str, str]) -> BackupSettings:
    """Return the settings with other databases in the place of each."""
    by_address = {database_address(live): url for live, url in by_url.items()}

    def moved(url: str) -> str:
        return by_address[database_address(url)]

    shards = settings.shard_urls if settings.shard_database_urls.get_secret_value() else ()
    return settings.model_copy(
        update={
            "database_url": SecretStr(moved(settings.database_url.get_secret_value())),
            "shard_database_urls": SecretStr(",".join(moved(url) for url in shards)),
        }
    )


def require_counts(connection: Connection, stored: StoredDatabase) -> None:
    """Raise StorageError where a table has other rows than the manifest says."""
    for name, told in stored.tables.items():
        if name in _OF_THE_RESTORE:
            continue
        rows = connection.scalar(select(func.count()).select_from(table(name)))
        if rows != told.rows:
            raise StorageError(f"{name} has {rows} rows, the manifest says {told.rows}")


def listed(live: Engine) -> list[dict[str, Any]]:
    """Return the latest drills, the newest first."""
    with live.connect() as connection:
        return [dict(row) for row in connection.execute(_LIST).mappings()]


def _end(live: Engine, found: dict[str, Any]) -> None:
    with live.begin() as connection:
        connection.execute(_END, found)
