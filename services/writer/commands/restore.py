"""`./sirenade restore`: a backup, and the erasures that came after it."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.writer import main
from services.writer.commands.kept_erasures import Erasures, apply_everywhere, read_file, read_store
from shared.errors import UserError
from shared.terminal.cli import AsJson, print_result, warn
from shared.terminal.console import Console
from shared.terminal.words import thousands

if TYPE_CHECKING:
    from shared.archive.manifest import Manifest
    from shared.archive.settings import BackupSettings
    from shared.archive.vault import Vault


def restore(
    backup_id: Annotated[str, typer.Argument(metavar="ID", help="From backup --list, or: latest.")],
    erasures: Annotated[
        Path | None, typer.Option(help="The newest export of `forget`, besides what the store has.")
    ] = None,
    none: Annotated[
        bool, typer.Option("--none", help="Nothing was ever erased since the backup.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option(help="Folder for one table meanwhile; else the system's own.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into the empty database of the settings, and erase again.

    What was erased since the backup is taken from the store, and from --erasures.
    """
    settings = main.read_backup_settings()
    again = _read_erasures(settings, erasures, none=none)
    vault, manifest = _find(settings, backup_id)
    with _folder(folder) as work, Console(stderr=True).status("starting") as shown:
        from services.writer.restore.loader import Restoration  # noqa: PLC0415  needs the store's library

        Restoration(vault, work, shown.update).load(manifest, main.urls_of_all(settings))
        shown.update("erasing again")
        erased = sum((each for each in apply_everywhere(settings, again)), Counter[str]())
    print_result(
        {
            "id": manifest.id,
            "made_at": manifest.made_at.isoformat(),
            "rows": manifest.rows,
            "units": len(again),
            "erased": dict(erased),
        },
        f"restored {manifest.id}: {thousands(manifest.rows)} rows, all of them counted; "
        f"{thousands(len(again))} units checked, {thousands(erased.total())} rows erased again",
        "Before any service starts: ./sirenade migrate, then ./sirenade reconcile.",
        as_json=as_json,
    )


def _read_erasures(settings: "BackupSettings", path: Path | None, *, none: bool) -> Erasures:
    """Read all of them before anything is restored. Raises UserError where nobody has said any."""
    kept = read_store(settings)
    if none and (path is not None or kept):
        where = "the store keeps some" if path is None else "--erasures names some"
        raise UserError(f"--none says that there are no erasures, but {where}: leave it out")
    if path is None and kept is None and not none:
        raise UserError(
            "give --erasures FILE, the newest file of `forget --export`, or say --none: the backup "
            "shows what was erased after it, and the store keeps no erasures"
        )
    again = dict(kept or {})
    for siren, entries in (read_file(path) if path is not None else {}).items():
        again[siren] = [*again.get(siren, []), *entries]
    return again


def _find(settings: "BackupSettings", backup_id: str) -> "tuple[Vault, Manifest]":
    from shared.archive.manifest import former_ids, manifests  # noqa: PLC0415  as above
    from shared.archive.vault import open_vault  # noqa: PLC0415  as above

    vault = open_vault(settings)
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
    return vault, manifest


@contextmanager
def _folder(parent: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sirenade-restore-", dir=parent) as work:
        yield Path(work)
