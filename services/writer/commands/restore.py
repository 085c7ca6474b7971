"""`./sirenade restore`: a backup, and the erasures that came after it."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from services.writer import main
from services.writer.commands.kept_erasures import (
    Erasures,
    apply_everywhere,
    open_store,
    read_file,
    read_store,
)
from shared.archive.settings import BackupSettings
from shared.errors import UserError
from shared.terminal.cli import AsJson, print_result
from shared.terminal.console import Console
from shared.terminal.words import thousands


def restore(
    backup_id: Annotated[str, typer.Argument(metavar="ID", help="From backup --list, or: latest.")],
    erasures: Annotated[
        Path | None, typer.Option(help="The newest export of `forget`, besides what the store has.")
    ] = None,
    none: Annotated[
        bool, typer.Option("--none", help="Nothing was ever erased since the backup.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder whose disk takes one table meanwhile; else the system's."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into the empty database of the settings, and erase again.

    What was erased since the backup is taken from the store, and from --erasures.
    """
    settings = main.read_backup_settings()
    again = _read_erasures(settings, erasures, none=none)
    with Console(stderr=True).status("starting") as shown:
        manifest = open_store(settings).restore(backup_id, folder, shown.update)
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


def _read_erasures(settings: BackupSettings, path: Path | None, *, none: bool) -> Erasures:
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
