"""`./sirenade drill`: whether the newest backup can be restored."""

import signal
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from services.writer.commands.kept_erasures import apply_everywhere, open_store, read_store
from services.writer.restore.scratch import ScratchServer
from shared.archive.settings import BackupSettings, DrillSettings
from shared.db.leases.keeper import kept
from shared.db.leases.rows import LeaseName
from shared.db.revision import current_engine
from shared.errors import UserError
from shared.settings import load
from shared.terminal.cli import AsJson, print_json, print_result, say
from shared.terminal.console import Console

_LEASE_SECONDS = 30.0


def drill(
    is_list: Annotated[bool, typer.Option("--list", help="List the drills only.")] = False,
    clean: Annotated[
        bool, typer.Option("--clean", help="Drop the databases that a killed drill left, only.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder whose disk takes one table meanwhile; else the system's."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Restore the newest backup for a trial, beside the databases that are in use; then drop it.

    Rows are counted and compared with the manifest, and what was erased since
    is erased again. Its role must be allowed to make databases, on the server
    of SIRENADE_DATABASE_URL or of SIRENADE_DRILL_SERVER_URL.
    """
    from services.writer.restore.drill import Drill, listed  # noqa: PLC0415  needs the store's library

    # A service manager's stop drops the databases, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = load(DrillSettings)
    url = settings.database_url.get_secret_value()
    server = ScratchServer(settings.drill_server_url.get_secret_value() or url, url)
    with current_engine(url, application_name="sirenade-drill") as live:
        if is_list:
            _print(listed(live), as_json=as_json)
            return
        with kept(live, LeaseName.DRILL, seconds=_LEASE_SECONDS) as lease:
            if lease is None:
                raise UserError("another drill is under way")
            if clean:
                names = server.drop()
                print_result(
                    {"dropped": names},
                    f"dropped: {', '.join(names) or 'none was left'}",
                    as_json=as_json,
                )
                return
            with Console(stderr=True).status("starting") as shown:
                made = Drill(
                    settings,
                    server,
                    lambda at: open_store(at).restore("latest", folder, shown.update),
                    _erase,
                )
                result = made.run(live)
    print_result({"result": result}, result, as_json=as_json)


def _erase(at: BackupSettings) -> Counter[str]:
    again = read_store(at) or {}
    return sum(apply_everywhere(at, again), Counter[str]())


def _print(rows: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    for row in rows:
        outcome = row["outcome"] or "runs, or was killed"
        say(f"{row['began_at']:%Y-%m-%d %H:%M} {outcome}: {row['result'] or ''}")
    if not rows:
        say("no drill yet: ./sirenade drill")
