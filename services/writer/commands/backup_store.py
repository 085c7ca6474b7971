"""The store of backups and erasures, as `forget` and `restore` use it.

It needs the store's library, which the writer's image leaves out: `kept_erasures.open_store`
imports it when a command comes to it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from services.writer import main
from services.writer.restore.loader import Restoration
from shared.archive import erasures
from shared.archive.manifest import Manifest, former_ids, manifests
from shared.archive.settings import BackupSettings
from shared.archive.vault import Vault, open_erasures, open_vault
from shared.clock import Clock
from shared.errors import UserError
from shared.terminal.cli import warn


@dataclass(frozen=True)
class BackupStore:
    settings: BackupSettings

    def read_erasures(self) -> list[str] | None:
        """Return the lines that it keeps, None where it keeps nothing."""
        return erasures.read(open_erasures(self.settings))

    def keep_erasures(self, lines: Iterable[str], *, whole: bool) -> None:
        vault = open_erasures(self.settings)
        erasures.keep(vault, lines, now=Clock().now(), whole=whole)

    def restore(
        self, backup_id: str, folder: Path | None, report: Callable[[str], None]
    ) -> Manifest:
        """Fill the databases of the settings, with the disk of `folder` for a table meanwhile."""
        vault = open_vault(self.settings)
        manifest = _find(vault, backup_id)
        Restoration(vault, folder, report).load(manifest, main.urls_of_all(self.settings))
        return manifest


def _find(vault: Vault, backup_id: str) -> Manifest:
    if not vault.key:
        warn(
            "no SIRENADE_BACKUP_KEY is set: nothing shows whether the store has changed the backup"
        )
    if backup_id in former_ids(vault):
        raise UserError(
            f"Sirenade 1.0.0 made the backup {backup_id}: restore it with that version, apply the "
            "erasures, then ./sirenade migrate with this one"
        )
    complete = manifests(vault)
    manifest = next((each for each in complete if backup_id in {each.id, "latest"}), None)
    if manifest is None:
        raise UserError(f"there is no complete backup {backup_id}: ./sirenade backup --list")
    return manifest
