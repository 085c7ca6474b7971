"""`./sirenade archive` and `backup`."""

from pathlib import Path
from typing import Annotated

import typer

from services.operator.archive import backups
from services.operator.archive.backups import Backups
from services.operator.archive.logs import put_logs
from services.operator.archive.summaries import put_summaries
from services.operator.connections import all_urls, open_engines
from services.operator.output import print_rows
from shared.archive.manifest import Manifest, former_ids, manifests
from shared.archive.settings import ArchiveSettings, BackupSettings
from shared.archive.vault import Vault, open_archive, open_vault
from shared.clock import Clock
from shared.db.shards import connected
from shared.settings import load
from shared.terminal.cli import AsJson, print_result, warn
from shared.terminal.console import Console
from shared.terminal.words import thousands

WorkFolder = Annotated[
    Path | None,
    typer.Option(help="Folder whose disk takes one table meanwhile; else the system's."),
]


def archive(as_json: AsJson = False) -> None:
    """Put closed log files and the last days' summaries into the store, then delete the files.

    The operator does this every hour. After an interruption it goes on where it was.
    """
    settings = load(ArchiveSettings)
    storage = open_archive(settings)
    with connected(open_engines()) as (control, *shards):
        summaries = put_summaries(storage, control, shards)
        done = put_logs(storage, settings.log_directory)
    print_result(
        {"files": done.files, "bytes": done.bytes, "summaries": summaries},
        f"{done.in_one_line()}, {summaries} days summed up",
        as_json=as_json,
    )


def backup(
    listed: Annotated[bool, typer.Option("--list", help="List the backups only.")] = False,
    keep_days: Annotated[
        int, typer.Option(min=1, help="Delete older backups: they hold what was erased since.")
    ] = 30,
    folder: WorkFolder = None,
    as_json: AsJson = False,
) -> None:
    """Copy the rows of each table, count them, and put all into the store.

    What was erased since is another list: ./sirenade forget --keep.
    """
    settings = load(BackupSettings)
    vault = open_vault(settings)
    if listed:
        rows = [_row(each) for each in manifests(vault)]
        print_rows(rows, "backups", as_json=as_json, empty="no backup")
        if former := former_ids(vault):
            warn(f"Sirenade 1.0.0 made, and can restore: {', '.join(former)}")
        return
    _warn_of_lacks(vault)
    now = Clock().now()
    with Console(stderr=True).status("starting") as shown:
        made = Backups(vault, folder, shown.update).back_up(all_urls(settings), now)
    old = backups.prune(vault.storage, now, keep_days=keep_days, keep=made.id)
    lines = [f"backup {made.id}: {thousands(made.size)} bytes, {thousands(made.rows)} rows"]
    if old:
        lines.append(f"deleted, as older than {keep_days} days: {', '.join(sorted(old))}")
    print_result({**_row(made), "deleted": old}, *lines, as_json=as_json)


def _row(manifest: Manifest) -> dict[str, object]:
    return {
        "id": manifest.id,
        "made_at": manifest.made_at.isoformat(),
        "bytes": manifest.size,
        "rows": manifest.rows,
        "databases": len(manifest.databases),
        "revision": manifest.revision,
    }


def _warn_of_lacks(vault: Vault) -> None:
    if not vault.key:
        warn("no SIRENADE_BACKUP_KEY is set: a restore cannot see whether the store changed it")
    if not vault.cipher.encrypt_command:
        warn("the backup is not encrypted: SIRENADE_BACKUP_ENCRYPT_COMMAND")
