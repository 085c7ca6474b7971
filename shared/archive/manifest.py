"""The manifest of a backup: what it holds, table by table.

Keys are `backup=<id>/<number of the database>/<table>`. The manifest comes last: without it a
backup was cut short and is ignored. Nothing in it is a path: names are those of tables.
"""

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field, ValidationError

from shared.archive.seal import BrokenSeal

if TYPE_CHECKING:
    # A service that makes no backup boots without the store's library.
    from shared.archive.vault import Vault

MANIFEST = "manifest"
# That of release 1.0.0, whose backups were dumps.
_FORMER = "manifest.json"
# A hundred databases of all tables.
_MOST_BYTES = 4 << 20
ID_FORM = "%Y%m%dT%H%M%SZ"

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Count = Annotated[int, Field(ge=0)]


class StoredTable(BaseModel):
    """`size` and `sha256` are those of the object in the store, encrypted or not."""

    columns: list[Name]
    rows: Count
    size: Count
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class StoredSequence(BaseModel):
    last_value: int
    is_called: bool


class StoredDatabase(BaseModel):
    """`sequences` are those of the tables' identities, by table."""

    tables: dict[Name, StoredTable]
    sequences: dict[Name, StoredSequence]


class Manifest(BaseModel):
    id: Annotated[str, Field(pattern=r"^\d{8}T\d{6}Z$")]
    made_at: dt.datetime
    revision: Annotated[str, Field(pattern=r"^\d{4}$")]
    encrypted: bool
    databases: list[StoredDatabase]

    @property
    def size(self) -> int:
        return sum(table.size for each in self.databases for table in each.tables.values())

    @property
    def rows(self) -> int:
        return sum(table.rows for each in self.databases for table in each.tables.values())


def key_of(backup_id: str, number: int, table: str) -> str:
    return f"backup={backup_id}/{number}/{table}"


def manifest_key(backup_id: str) -> str:
    return f"backup={backup_id}/{MANIFEST}"


def is_manifest(key: str) -> bool:
    return key.rpartition("/")[2] in {MANIFEST, _FORMER}


def manifests(vault: "Vault") -> Iterator[Manifest]:
    """Yield the manifests of complete backups, newest first. Raises BrokenSeal."""
    for key in sorted(vault.storage.keys(""), reverse=True):
        if key.startswith("backup=") and key.endswith(f"/{MANIFEST}"):
            yield _parse(key, vault.read(key, most_bytes=_MOST_BYTES))


def former_ids(vault: "Vault") -> list[str]:
    """Return the backups that release 1.0.0 made, and can restore."""
    keys = [key for key in vault.storage.keys("") if key.endswith(f"/{_FORMER}")]
    return [key.partition("/")[0].removeprefix("backup=") for key in keys]


def _parse(key: str, content: bytes) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError:
        raise BrokenSeal(f"cannot read {key}: did another version make it?") from None
    if manifest_key(manifest.id) != key:
        raise BrokenSeal(f"{key} is the manifest of another backup")
    return manifest
