"""`./sirenade archive`, `backup` and `restore`."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.operator.archive import backups
from services.operator.archive.backups import Backups, Manifest
from services.operator.archive.logs import put_logs
from services.operator.archive.pg_tools import PgTools
from services.operator.archive.storage import Storage, open_storage
from services.operator.archive.summaries import put_summaries
from services.operator.connections import all_urls, open_engines
from services.operator.output import print_rows
from services.operator.settings import ArchiveSettings
from shared.clock import Clock
from shared.db.migrate import upgrade
from shared.db.shards import connected
from shared.errors import UserError
from shared.settings import load
from shared.terminal.cli import AsJson, print_result
from shared.terminal.words import thousands

WorkFolder = Annotated[
    Path | None, typer.Option(help="Folder for the dump meanwhile; else the system's own.")
]


def archive(as_json: AsJson = False) -> None:
    """Put closed log files and the last days' summaries into the store, then delete the files.

    The operator does this every hour. After an interruption it goes on where it was.
    """
    settings, storage = _open_storage()
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
    """Dump the database, count the rows of each table, and put all into the store."""
    settings, storage = _open_storage()
    if listed:
        rows = [_row(each) for each in backups.manifests(storage)]
        print_rows(rows, "backups", as_json=as_json, empty="no backup")
        return
    now = Clock().now()
    with _prepared(settings, storage, folder) as prepared:
        made = prepared.back_up(all_urls(settings), now)
    old = backups.prune(storage, older_than=now - timedelta(days=keep_days), keep=made.id)
    lines = f"backup {made.id}: {thousands(made.size)} bytes, {thousands(made.rows)} rows"
    if old:
        lines += f"\ndeleted, as older than {keep_days} days: {', '.join(sorted(old))}"
    print_result({**_row(made), "deleted": old}, lines, as_json=as_json)


def restore(
    backup_id: Annotated[str, typer.Argument(metavar="ID", help="From backup --list, or: latest.")],
    folder: WorkFolder = None,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into the empty database of the settings, and count its rows again.

    The backup holds what was erased since: apply the newest export before any service starts.
    """
    settings, storage = _open_storage()
    complete = backups.manifests(storage)
    manifest = next((each for each in complete if backup_id in {each.id, "latest"}), None)
    if manifest is None:
        raise UserError(f"there is no complete backup {backup_id}: ./sirenade backup --list")
    urls = all_urls(settings)
    with _prepared(settings, storage, folder) as prepared:
        prepared.restore(manifest, urls)
        prepared.report("migrating")
        for url in urls:
            upgrade(url)
    print_result(
        _row(manifest),
        f"restored {manifest.id}: {thousands(manifest.rows)} rows, all of them counted\n"
        "Before any service starts: ./sirenade forget --apply with the newest export of erasures, "
        "then ./sirenade reconcile.",
        as_json=as_json,
    )


def _row(manifest: Manifest) -> dict[str, object]:
    return {
        "id": manifest.id,
        "made_at": manifest.made_at.isoformat(),
        "bytes": manifest.size,
        "rows": manifest.rows,
        "databases": len(manifest.databases),
        "revision": manifest.revision,
    }


def _open_storage() -> tuple[ArchiveSettings, Storage]:
    """Open the store of the settings. Raises UserError where none is set."""
    settings = load(ArchiveSettings)
    if not settings.archive_url:
        raise UserError("set SIRENADE_ARCHIVE_URL: s3://…, az://…, gs://… or file:///…")
    credentials = settings.archive_credentials.get_secret_value()
    return settings, open_storage(settings.archive_url, credentials)


@contextmanager
def _prepared(
    settings: ArchiveSettings, storage: Storage, folder: Path | None
) -> Iterator[Backups]:
    """Give backups a folder that is deleted at the end, and a line at the terminal."""
    with (
        tempfile.TemporaryDirectory(prefix="sirenade-backup-", dir=folder) as work,
        Console(stderr=True).status("starting") as shown,
    ):
        yield Backups(storage, Path(work), PgTools(settings.pg_bin), shown.update)
