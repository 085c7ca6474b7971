"""Backups of the databases in the store: the rows of each table, as PostgreSQL copies them.

No SQL is kept: a restore takes the schema from this project's own migrations
(docs/adr/0033-restores.md).
"""

import datetime as dt
import hashlib
import io
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from sqlalchemy import Connection
from zstandard import ZstdCompressor

from shared.archive.manifest import (
    ID_FORM,
    Manifest,
    StoredDatabase,
    StoredTable,
    is_manifest,
    key_of,
    manifest_key,
)
from shared.archive.storage import Storage
from shared.archive.tables import copy, read_sequences, tables_of, transaction_on
from shared.archive.vault import Vault
from shared.db.revision import require_current
from shared.db.tables import metadata
from shared.private_files import nameless_file

_BUFFER_BYTES = 1 << 20
_LONGEST_UPLOAD = dt.timedelta(days=1)

Report = Callable[[str], None]


@dataclass(frozen=True)
class Backups:
    """Makes backups; the disk of `folder`, else the system's own, holds one table at a time."""

    vault: Vault
    folder: Path | None
    report: Report

    def back_up(self, urls: Sequence[str], now: dt.datetime) -> Manifest:
        """Put each database as it is at one instant of its own; the manifest comes last."""
        backup_id = f"{now:{ID_FORM}}"
        databases, revisions = [], []
        for number, url in enumerate(urls):
            with transaction_on(url) as connection:
                revisions.append(require_current(connection))
                databases.append(self._put(connection, backup_id, number))
        manifest = Manifest(
            id=backup_id,
            made_at=now,
            revision=revisions[0],
            encrypted=bool(self.vault.cipher.encrypt_command),
            databases=databases,
        )
        content = manifest.model_dump_json(indent=1).encode()
        self.vault.put(manifest_key(backup_id), content)
        return manifest

    def _put(self, connection: Connection, backup_id: str, number: int) -> StoredDatabase:
        """Put what the models name: staging tables of stock files are none of it."""
        tables = tables_of(connection, metadata.tables)
        stored = {}
        for table, columns in tables.items():
            self.report(f"copying {table}")
            with nameless_file(self.folder) as file:
                rows = self._copy(connection, table, columns, file)
                file.seek(0)
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = file.tell()
                self.vault.storage.put(key_of(backup_id, number, table), file)
                stored[table] = StoredTable(columns=columns, rows=rows, size=size, sha256=digest)
        return StoredDatabase(tables=stored, sequences=read_sequences(connection, tables))

    def _copy(
        self, connection: Connection, table: str, columns: Sequence[str], file: FileIO
    ) -> int:
        with (
            self.vault.cipher.open_to_write(file) as raw,
            ZstdCompressor().stream_writer(raw, closefd=False) as packed,
            # PostgreSQL's driver writes row by row.
            io.BufferedWriter(packed, _BUFFER_BYTES) as out,  # type: ignore[type-var]  # it is as good as one
        ):
            return copy(connection, table, columns, "TO STDOUT", out)


def prune(storage: Storage, now: dt.datetime, *, keep_days: int, keep: str) -> list[str]:
    """Delete older backups, also incomplete ones, and return their ids.

    Erased data stays in older backups until then. The manifest goes first: a kill in between
    leaves no backup that looks complete.
    """
    older_than = now - dt.timedelta(days=keep_days)
    found = defaultdict(list)
    for key in storage.keys(""):
        backup_id = key.partition("/")[0].removeprefix("backup=")
        if key.startswith("backup=") and backup_id != keep and _made_at(backup_id) < older_than:
            found[backup_id].append(key)
    for keys in found.values():
        storage.delete(sorted(keys, key=lambda key: not is_manifest(key)))
    storage.delete_unfinished(older_than=now - _LONGEST_UPLOAD)
    return list(found)


def _made_at(backup_id: str) -> dt.datetime:
    try:
        return dt.datetime.strptime(backup_id, ID_FORM).replace(tzinfo=dt.UTC)
    except ValueError:
        # The key is no backup's: never delete it.
        return dt.datetime.max.replace(tzinfo=dt.UTC)
