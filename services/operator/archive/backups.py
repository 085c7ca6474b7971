"""Backups of the databases in the store, in pg_dump's directory format.

Keys are `backup=<time>/<number of the database>/<file>`. The manifest comes last: without it a
backup was cut short and is ignored. It holds the digest of each file, and the rows of each table in
the very snapshot that was dumped.
"""

import datetime as dt
import hashlib
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, text

from services.operator.archive.pg_tools import PgTools
from services.operator.archive.storage import Storage, StorageError
from shared.db.engine import temporary_engine
from shared.db.migrate import current_revision
from shared.errors import UserError

MANIFEST = "manifest.json"
_ID = "%Y%m%dT%H%M%SZ"

_TABLES = text("""
    SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1
""")

Report = Callable[[str], None]


class StoredFile(BaseModel):
    size: int
    sha256: str


class StoredDatabase(BaseModel):
    """`postgres` is the major version of its server."""

    postgres: int
    files: dict[str, StoredFile]
    rows: dict[str, int]


class Manifest(BaseModel):
    id: str
    made_at: dt.datetime
    revision: str | None
    databases: list[StoredDatabase]

    @property
    def size(self) -> int:
        return sum(file.size for each in self.databases for file in each.files.values())

    @property
    def rows(self) -> int:
        return sum(sum(each.rows.values()) for each in self.databases)


@dataclass(frozen=True)
class Backups:
    """Makes and restores backups; `folder` begins empty and holds one database at a time."""

    storage: Storage
    folder: Path
    tools: PgTools
    report: Report

    def back_up(self, urls: Sequence[str], now: dt.datetime) -> Manifest:
        backup_id = f"{now:{_ID}}"
        databases, revisions = [], []
        for number, url in enumerate(urls):
            target = self.folder / str(number)
            database, revision = self._dump(url, target)
            self._put(target, f"backup={backup_id}/{number}", database)
            databases.append(database)
            revisions.append(revision)
        manifest = Manifest(id=backup_id, made_at=now, revision=revisions[0], databases=databases)
        content = manifest.model_dump_json(indent=1).encode()
        self.storage.put(f"backup={backup_id}/{MANIFEST}", content)
        return manifest

    def _put(self, folder: Path, place: str, database: StoredDatabase) -> None:
        for path in sorted(folder.iterdir()):
            self.report(f"putting {path.name}")
            self.storage.put(f"{place}/{path.name}", path)
            file = StoredFile(size=path.stat().st_size, sha256=_digest(path))
            database.files[path.name] = file
            path.unlink()

    def _dump(self, url: str, target: Path) -> tuple[StoredDatabase, str | None]:
        with connection_to(url) as connection, _snapshot(connection) as snapshot:
            self.report("dumping")
            major = _major(connection)
            self.tools.find("pg_dump", major).dump(url, target, snapshot=snapshot)
            self.report("counting")
            database = StoredDatabase(postgres=major, files={}, rows=count_rows(connection))
            return database, current_revision(connection)

    def restore(self, manifest: Manifest, urls: Sequence[str]) -> None:
        """Restore into empty databases, in the manifest's order.

        Raises UserError where a database is not empty, StorageError where a file is damaged.
        """
        if len(urls) != len(manifest.databases):
            raise UserError(
                f"the backup holds {len(manifest.databases)} databases, "
                f"but the settings name {len(urls)}"
            )
        for url in urls:
            with connection_to(url) as connection:
                if connection.execute(_TABLES).first() is not None:
                    raise UserError("the database is not empty: restore into a new one (createdb)")
        for number, (url, stored) in enumerate(zip(urls, manifest.databases, strict=True)):
            source = self.folder / str(number)
            self._fetch(stored, f"backup={manifest.id}/{number}", source)
            self._restore(stored, url, source)
            shutil.rmtree(source)

    def _fetch(self, stored: StoredDatabase, place: str, target: Path) -> None:
        target.mkdir()
        for name, file in stored.files.items():
            self.report(f"fetching {name}")
            self.storage.fetch(f"{place}/{name}", target / name)
            if _digest(target / name) != file.sha256:
                raise StorageError(f"{place}/{name} is damaged: nothing is restored")

    def _restore(self, stored: StoredDatabase, url: str, source: Path) -> None:
        with connection_to(url) as connection:
            tool = self.tools.find("pg_restore", max(_major(connection), stored.postgres))
        self.report("restoring")
        tool.restore(url, source)
        self.report("counting")
        with connection_to(url) as connection:
            rows = count_rows(connection)
        differing = [name for name in rows | stored.rows if rows.get(name) != stored.rows.get(name)]
        if differing:
            raise StorageError(
                f"restored rows differ from the dump in {', '.join(sorted(differing))}"
            )


def manifests(storage: Storage) -> Iterator[Manifest]:
    """Yield the manifests of complete backups, newest first."""
    for key in sorted(storage.keys(""), reverse=True):
        if key.startswith("backup=") and key.endswith(f"/{MANIFEST}"):
            try:
                yield Manifest.model_validate_json(storage.read(key))
            except ValidationError:
                raise StorageError(f"cannot read {key}: did another version make it?") from None


def prune(storage: Storage, *, older_than: dt.datetime, keep: str) -> list[str]:
    """Delete older backups, also incomplete ones, and return their ids.

    Erased data stays in older backups until then. The manifest goes first: a kill in between
    leaves no backup that looks complete.
    """
    found = defaultdict(list)
    for key in storage.keys(""):
        backup_id = key.partition("/")[0].removeprefix("backup=")
        if key.startswith("backup=") and backup_id != keep and _made_at(backup_id) < older_than:
            found[backup_id].append(key)
    for keys in found.values():
        storage.delete(sorted(keys, key=lambda key: not key.endswith(MANIFEST)))
    return list(found)


def count_rows(connection: Connection) -> dict[str, int]:
    return {
        table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608  quoted by PostgreSQL
        for table in connection.execute(_TABLES).scalars().all()
    }


@contextmanager
def connection_to(url: str) -> Iterator[Connection]:
    options = {"application_name": "sirenade-backup", "statement_timeout_seconds": 0}
    with temporary_engine(url, **options) as engine, engine.connect() as connection:
        yield connection


@contextmanager
def _snapshot(connection: Connection) -> Iterator[str]:
    """Fix what the connection sees, and yield the snapshot's name for other connections."""
    connection.execution_options(isolation_level="REPEATABLE READ")
    with connection.begin():
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        yield connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()


def _major(connection: Connection) -> int:
    number = connection.execute(text("SHOW server_version_num")).scalar_one()
    return int(number) // 10_000


def _made_at(backup_id: str) -> dt.datetime:
    try:
        return dt.datetime.strptime(backup_id, _ID).replace(tzinfo=dt.UTC)
    except ValueError:
        # The key is no backup's: never delete it.
        return dt.datetime.max.replace(tzinfo=dt.UTC)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
