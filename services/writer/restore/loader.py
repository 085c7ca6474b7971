"""The rows of a backup, in a database whose schema is made here.

Nothing that the store holds is run or names a place: it has rows for the tables of our own
migrations, and the rest is refused (docs/adr/0033-restores.md).
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from sqlalchemy import Connection, text
from zstandard import ZstdDecompressor

from services.writer.restore.schema import bare, is_empty
from shared.archive.manifest import Manifest, StoredDatabase, StoredTable, key_of
from shared.archive.storage import StorageError
from shared.archive.tables import copy, set_sequences, tables_of, transaction_on
from shared.archive.vault import Vault
from shared.db.migrate import upgrade_within
from shared.db.restore_marks import read_mark, set_mark
from shared.errors import UserError
from shared.logs import sqlstate
from shared.private_files import nameless_file

_SERVICES = text("""
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND application_name LIKE 'sirenade-%'
""")
# Its rows have the numbers of another server's transactions, and no reader knows how these pages
# differ from those that it knew: all begin anew (docs/adr/0035-portal.md).
_EMPTY_LOG = text("TRUNCATE page_changes")
# The staging tables are in no backup.
_ABANDON_LOADS = text("""
    UPDATE stock_loads SET status = 'abandoned' WHERE status IN ('staging', 'staged')
""")


@dataclass(frozen=True)
class Restoration:
    """Loads a backup; the disk of `folder`, else the system's own, holds one table at a time."""

    vault: Vault
    folder: Path | None
    report: Callable[[str], None]

    def load(self, manifest: Manifest, urls: Sequence[str]) -> None:
        """Fill empty databases, in the manifest's order, each in one transaction.

        Each is marked: it shows what was erased since the backup. One that an interrupted restore
        has filled stays as it is. Raises UserError where a database is not empty, StorageError
        where the backup is damaged: the database then stays empty.
        """
        if len(urls) != len(manifest.databases):
            raise UserError(
                f"the backup holds {len(manifest.databases)} databases, "
                f"but the settings name {len(urls)}"
            )
        for url in urls:
            with transaction_on(url, marked_too=True) as connection:
                _must_be_filled(connection, manifest.id)
        for number, url in enumerate(urls):
            with transaction_on(url, marked_too=True) as connection:
                if _must_be_filled(connection, manifest.id):
                    self._fill(connection, manifest, number)

    def _fill(self, connection: Connection, manifest: Manifest, number: int) -> None:
        stored = manifest.databases[number]
        self.report("making the schema")
        upgrade_within(connection, manifest.revision)
        tables = tables_of(connection)
        _require_same(tables, stored)
        with bare(connection, tables):
            for name, table in stored.tables.items():
                self.report(f"restoring {name}")
                key = key_of(manifest.id, number, name)
                self._copy(connection, key, name, table, encrypted=manifest.encrypted)
            self.report("making indexes")
        set_sequences(connection, stored.sequences)
        upgrade_within(connection)
        connection.execute(_EMPTY_LOG)
        connection.execute(_ABANDON_LOADS)
        set_mark(connection, manifest.id)

    def _copy(
        self, connection: Connection, key: str, name: str, stored: StoredTable, *, encrypted: bool
    ) -> None:
        with nameless_file(self.folder) as file:
            self.vault.storage.fetch(key, file, most_bytes=stored.size)
            file.seek(0)
            if hashlib.file_digest(file, "sha256").hexdigest() != stored.sha256:
                raise StorageError(f"{key} is damaged: nothing is restored")
            try:
                with (
                    self.vault.cipher.open_to_read(file, encrypted=encrypted) as raw,
                    ZstdDecompressor().stream_reader(raw, closefd=False) as clear,
                ):
                    rows = copy(connection, name, stored.columns, "FROM STDIN", clear)
            except psycopg2.Error as error:
                # The driver's own text quotes the row.
                reason = sqlstate(error) or type(error).__name__
                raise StorageError(
                    f"{key} cannot be copied ({reason}): nothing is restored"
                ) from None
        if rows != stored.rows:
            raise StorageError(
                f"{key} has {rows} rows, the manifest says {stored.rows}: nothing is restored"
            )


def _must_be_filled(connection: Connection, backup_id: str) -> bool:
    """Return False where this backup is in it and marked; raise UserError for another content."""
    if services := connection.scalar(_SERVICES):
        raise UserError(f"services hold {services} connections to this database: stop them first")
    if is_empty(connection):
        return True
    if read_mark(connection) != backup_id:
        raise UserError("the database is not empty: restore into a new one (createdb)")
    return False


def _require_same(tables: dict[str, list[str]], stored: StoredDatabase) -> None:
    """Raise StorageError where the backup has other tables or columns than its revision."""
    held = {name: sorted(table.columns) for name, table in stored.tables.items()}
    made = {name: sorted(columns) for name, columns in tables.items()}
    if differing := sorted(name for name in {*held, *made} if held.get(name) != made.get(name)):
        raise StorageError(f"the backup has other tables than its revision: {', '.join(differing)}")
    if unknown := sorted(set(stored.sequences) - set(made)):
        raise StorageError(f"the backup has other sequences: {', '.join(unknown)}")
