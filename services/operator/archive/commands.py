"""`./sirenade archive`, `backup` and `restore`."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.operator.archive import backups
from services.operator.archive.backups import Backups, Manifest
from services.operator.archive.logs import put_logs
from services.operator.archive.open import archive_settings, storage_of
from services.operator.archive.pg_tools import PgTools, ToolFailed
from services.operator.archive.storage import Storage, StorageError
from services.operator.archive.summaries import put_summaries
from services.operator.connections import open_engines
from services.operator.printing import print_json, print_rows
from services.operator.settings import ArchiveSettings
from shared.clock import Clock
from shared.db.migrate import upgrade
from shared.db.shards import connected, remote_urls
from shared.errors import UserError
from shared.terminal.cli import AsJson
from shared.terminal.words import thousands

WorkFolder = Annotated[
    Path | None, typer.Option(help="Folder for the dump meanwhile; else the system's own.")
]


def archive(as_json: AsJson = False) -> None:
    """Put closed log files and the last days' summaries into the store, then delete the files.

    The operator does this every hour. After an interruption it goes on where it was.
    """
    settings = archive_settings()
    storage = storage_of(settings)
    with _plain_errors(), connected(open_engines()) as (control, *shards):
        summaries = put_summaries(storage, control, shards)
        done = put_logs(storage, settings.log_directory)
    if as_json:
        print_json({"files": done.files, "bytes": done.bytes, "summaries": summaries})
    else:
        typer.echo(f"{done.in_one_line()}, {summaries} days summed up")


def backup(
    listed: Annotated[bool, typer.Option("--list", help="List the backups only.")] = False,
    keep_days: Annotated[
        int,
        typer.Option(min=1, help="Delete older backups: they hold what was erased since."),
    ] = 30,
    folder: WorkFolder = None,
    as_json: AsJson = False,
) -> None:
    """Dump the database, count the rows of each table, and put all into the store."""
    settings = archive_settings()
    storage = storage_of(settings)
    with _plain_errors():
        if listed:
            rows = [_row(each) for each in backups.manifests(storage)]
            print_rows(rows, "backups", as_json=as_json, empty="no backup")
            return
        now = Clock().now()
        with _work_folder(folder) as work, _reporting() as report:
            made = Backups(storage, work, PgTools(settings.pg_bin), report).back_up(
                _urls(settings), now
            )
        old = backups.prune(storage, older_than=now - timedelta(days=keep_days), keep=made.id)
    if as_json:
        print_json({**_row(made), "deleted": old})
        return
    typer.echo(f"backup {made.id}: {thousands(made.size)} bytes, {thousands(made.rows)} rows")
    if old:
        typer.echo(f"deleted, as older than {keep_days} days: {', '.join(sorted(old))}")


def restore(
    backup_id: Annotated[str, typer.Argument(metavar="ID", help="From backup --list, or: latest.")],
    folder: WorkFolder = None,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into the empty database of the settings, and count its rows again.

    The backup holds what was erased since: apply the newest export before any service starts.
    """
    settings = archive_settings()
    storage = storage_of(settings)
    with _plain_errors():
        manifest = _chosen(storage, backup_id)
        urls = _urls(settings)
        with _work_folder(folder) as work, _reporting() as report:
            Backups(storage, work, PgTools(settings.pg_bin), report).restore(manifest, urls)
            report("migrating")
            for url in urls:
                upgrade(url)
    if as_json:
        print_json(_row(manifest))
        return
    typer.echo(f"restored {manifest.id}: {thousands(manifest.rows)} rows, all of them counted")
    typer.echo(
        "Before any service starts: ./sirenade forget --apply with the newest export of erasures, "
        "then ./sirenade reconcile."
    )


def _chosen(storage: Storage, backup_id: str) -> Manifest:
    for each in backups.manifests(storage):
        if backup_id in {each.id, "latest"}:
            return each
    raise UserError(f"there is no complete backup {backup_id}: ./sirenade backup --list")


def _row(manifest: Manifest) -> dict[str, object]:
    return {
        "id": manifest.id,
        "made_at": manifest.made_at.isoformat(),
        "bytes": manifest.size,
        "rows": manifest.rows,
        "databases": len(manifest.databases),
        "revision": manifest.revision,
    }


def _urls(settings: ArchiveSettings) -> list[str]:
    return [settings.database_url.get_secret_value(), *remote_urls(settings)]


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except (StorageError, ToolFailed) as error:
        raise UserError(str(error)) from None


@contextmanager
def _work_folder(folder: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sirenade-backup-", dir=folder) as path:
        yield Path(path)


@contextmanager
def _reporting() -> Iterator[Callable[[str], None]]:
    console = Console(stderr=True)
    with console.status("starting") as shown:
        yield shown.update
