"""Command line of the fetcher: the service itself, and the imports that it is asked for."""

import json
import signal
from dataclasses import asdict
from typing import Annotated

import typer
from sqlalchemy import Engine, text

from services.fetcher import main
from shared.cli import EXIT_BROKEN_PROMISE, EXIT_INTERRUPTED, make_app
from shared.cli import run as run_cli
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.migrate import require_current
from shared.errors import UserError
from shared.progress import Progress, read_progress
from shared.progress_view import watch
from shared.settings import DatabaseSettings, load
from shared.sirene.reference import communes, departements

app = make_app("Fetch the register from INSEE, under the quota that all replicas share.")


@app.command()
def run() -> None:
    """Run the fetcher service until SIGTERM; settings come from SIRENADE_* variables."""
    main.main()


@app.command("import")
def import_(
    departement: Annotated[
        list[str] | None, typer.Option(help="Code of a département: 33, 2A, 974. Repeatable.")
    ] = None,
    commune: Annotated[
        list[str] | None, typer.Option(help="INSEE code of a commune: 33063. Repeatable.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="At most so many establishments in all.", min=1)
    ] = None,
    wait: Annotated[
        bool, typer.Option(help="Show the progress until the import is complete.")
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON object.")
    ] = False,
) -> None:
    """Import the establishments of départements or communes.

    The request is kept in the database: the fetcher service carries it out, whoever watches.

    Example: ./sirenade import --departement 33 --limit 35000
    """
    scope = _checked_scope(departement or [], commune or [])
    settings = load(DatabaseSettings)
    engine = make_engine(
        settings.database_url.get_secret_value(), application_name="sirenade-import", pool_size=1
    )
    run_id = _request_run(engine, *scope, limit)
    if not wait:
        typer.echo(json.dumps({"run_id": run_id}) if as_json else f"run {run_id} is requested")
        return
    _follow(engine, run_id, as_json=as_json)


def _checked_scope(departement: list[str], commune: list[str]) -> tuple[list[str], list[str]]:
    if not departement and not commune:
        raise UserError("say what to import: --departement 33, or --commune 33063")
    wanted_departements = [code.upper() for code in departement]
    wanted_communes = [code.upper() for code in commune]
    for code in wanted_departements:
        if code not in departements():
            raise UserError(f"unknown département {code!r}: use a code like 33, 2A or 974")
    for code in wanted_communes:
        if code not in communes():
            raise UserError(f"unknown commune {code!r}: use an INSEE code like 33063, no postcode")
    return wanted_departements, wanted_communes


def _request_run(
    engine: Engine, departements: list[str], communes: list[str], limit: int | None
) -> int:
    with engine.begin() as connection:
        require_current(connection)
        run_id: int = connection.execute(
            text("""
                INSERT INTO import_runs (departements, communes, row_limit)
                VALUES (:departements, :communes, :row_limit) RETURNING id
            """),
            {"departements": departements, "communes": communes, "row_limit": limit},
        ).scalar_one()
        return run_id


def _follow(engine: Engine, run_id: int, *, as_json: bool) -> None:
    clock = Clock()
    signal.signal(signal.SIGINT, lambda *_: clock.stopping.set())

    def read() -> Progress:
        with engine.connect() as connection:
            return read_progress(connection, run_id)

    progress = watch(
        read,
        title=f"import, run {run_id}",
        until=lambda reading: reading.runs_open == 0,
        clock=clock,
    )
    if as_json:
        typer.echo(json.dumps(asdict(progress), default=str))
    if progress.runs_open:
        typer.echo(f"run {run_id} goes on without being watched: ./sirenade status", err=True)
        raise typer.Exit(EXIT_INTERRUPTED)
    not_received = max(0, (progress.expected or 0) - progress.received)
    if progress.batches_failed or progress.missing or not_received:
        typer.echo(
            f"run {run_id} is not whole: {progress.batches_failed} batches failed, "
            f"{progress.missing + not_received} establishments missing. {progress.error or ''}",
            err=True,
        )
        raise typer.Exit(EXIT_BROKEN_PROMISE)


if __name__ == "__main__":
    run_cli(app, name="sirenade")
