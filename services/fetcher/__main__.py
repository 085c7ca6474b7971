"""Command line of the fetcher: the service itself, and the imports that it is asked for."""

import json
import signal
import textwrap
from dataclasses import asdict
from typing import Annotated

import typer
from sqlalchemy import Engine

from services.fetcher import main
from services.fetcher.costs import Forecast, cost_of, rows_of
from services.fetcher.lookup_commands import lookup
from services.fetcher.ordering import checked_order, outcome, request
from services.fetcher.planning import MAX_ROWS_PER_PAGE
from services.fetcher.scopes import checked_scope
from services.fetcher.settings import FetcherSettings
from services.fetcher.store import ImportStore
from services.fetcher.succession_commands import successions
from shared.cli import EXIT_BROKEN_PROMISE, EXIT_INTERRUPTED, make_app
from shared.cli import run as run_cli
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.migrate import require_current
from shared.delta import OVERLAP_HOURS, settle_windows
from shared.errors import UserError
from shared.progress import Progress, read_progress
from shared.progress_view import watch
from shared.settings import DatabaseSettings, load

app = make_app("Fetch the register from INSEE, under the quota that all replicas share.")

# Several times the register: beyond it somebody mistyped.
_MAX_LIMIT = 1_000_000_000
# A région is counted within this at the public quota; then the progress is shown all the same.
_PLAN_PATIENCE_SECONDS = 30.0


@app.command()
def run() -> None:
    """Run the fetcher service until SIGTERM; settings come from SIRENADE_* variables."""
    main.main()


@app.command("import")
def import_(  # noqa: PLR0913  # each an option of the command
    *,
    region: Annotated[
        list[str] | None, typer.Option(help="Code or name of a region: 53, Bretagne. Repeatable.")
    ] = None,
    departement: Annotated[
        list[str] | None, typer.Option(help="Code of a département: 33, 2A, 974. Repeatable.")
    ] = None,
    commune: Annotated[
        list[str] | None, typer.Option(help="INSEE code of a commune: 33063. Repeatable.")
    ] = None,
    activite: Annotated[
        list[str] | None, typer.Option(help="Current activity, a NAF code: 47.11D. Repeatable.")
    ] = None,
    etat: Annotated[
        str | None, typer.Option(help="Current state: A for open, F for closed.")
    ] = None,
    siret_from: Annotated[
        str | None, typer.Option(help="From this SIRET on, itself included.")
    ] = None,
    siret_to: Annotated[str | None, typer.Option(help="Up to this SIRET, itself included.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="The whole register, where no place is named.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(help="At most so many establishments in all.")
    ] = None,
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Only count and say what it would cost; needs the API key."),
    ] = False,
    wait: Annotated[
        bool, typer.Option(help="Show the progress until the import is complete.")
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON object.")
    ] = False,
) -> None:
    """Import the establishments of places, narrowed down by activity, state or range of SIRET.

    The request is kept in the database: the fetcher service carries it out, whoever watches.

    Example: ./sirenade import --region Bretagne --activite 10.71C --etat A
    """
    if limit is not None and not 1 <= limit <= _MAX_LIMIT:
        raise UserError(f"--limit {limit} makes no sense: use 1 to {_MAX_LIMIT}")
    scope = checked_scope(
        region=region or (),
        departement=departement or (),
        commune=commune or (),
        activite=activite or (),
        etat=etat,
        siret_from=siret_from,
        siret_to=siret_to,
        everything=everything,
    )
    if plan:
        _show(main.forecast(load(FetcherSettings), scope, limit), as_json=as_json)
        return
    settings = load(DatabaseSettings)
    engine = make_engine(
        settings.database_url.get_secret_value(), application_name="sirenade-import", pool_size=1
    )
    with engine.connect() as connection:
        require_current(connection)
    run_id = ImportStore(engine).request_run(scope, row_limit=limit)
    if not wait:
        typer.echo(json.dumps({"run_id": run_id}) if as_json else f"run {run_id} is requested")
        return
    _follow(engine, run_id, as_json=as_json)


@app.command()
def delta(  # noqa: PLR0913  # each an option of the command
    *,
    since: Annotated[
        str | None,
        typer.Option(
            help="Begin here, Paris time: 2026-08-01 or 2026-08-01T06:00. Needed once, where "
            "nothing says how far the register is complete; later it only reaches further back."
        ),
    ] = None,
    overlap_hours: Annotated[
        float, typer.Option(help="Read so much again before the point reached: rows can be late.")
    ] = OVERLAP_HOURS,
    wait_minutes: Annotated[
        float,
        typer.Option(help="Wait so long for INSEE to publish, which it does from 6:00 to 7:40."),
    ] = 0.0,
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Only count and say what it would cost; needs the API key."),
    ] = False,
    wait: Annotated[
        bool, typer.Option(help="Show the progress until the delta is complete.")
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON object.")
    ] = False,
) -> None:
    """Bring the register up to INSEE's latest day, from the point where it is complete.

    Establishments and legal units that INSEE treated since are fetched again, days missed
    included. The point moves only once everything before it is written: `status` and `stats`
    show it. Where INSEE has published nothing new, the delta says so and ends.

    Example: ./sirenade delta --wait-minutes 120
    """
    order = checked_order(since=since, overlap_hours=overlap_hours, wait_minutes=wait_minutes)
    if plan:
        forecast, decision = main.forecast_delta(load(FetcherSettings), order)
        _show(forecast, as_json=as_json)
        for reason in decision.held_up:
            typer.echo(f"warning: {reason}", err=True)
        return
    settings = load(DatabaseSettings)
    engine = make_engine(
        settings.database_url.get_secret_value(), application_name="sirenade-delta", pool_size=1
    )
    run_id = request(engine, order)
    if not wait:
        typer.echo(json.dumps({"run_id": run_id}) if as_json else f"run {run_id} is requested")
        return
    try:
        _follow(engine, run_id, what="delta", as_json=as_json)
    finally:
        for line in outcome(engine, run_id):
            typer.echo(line, err=True)


app.command()(lookup)
app.command()(successions)


def _show(forecast: Forecast, *, as_json: bool) -> None:
    if as_json:
        windows = [{"query": each.window.query, "rows": rows_of(each)} for each in forecast.plan]
        typer.echo(
            json.dumps(
                {"windows": windows, "counts": forecast.counts, "cost": asdict(forecast.cost)}
            )
        )
        return
    for batch in forecast.plan:
        # A list of sirets is as long as a page.
        query = textwrap.shorten(batch.window.query, 100, placeholder=" …")
        typer.echo(f"{rows_of(batch):>12,} rows  {query}".replace(",", " "))
    typer.echo(f"{forecast.cost}; counting took {forecast.counts} requests, nothing is imported")


def _announce(engine: Engine, run_id: int, clock: Clock) -> None:
    """Say what the run costs as soon as a fetcher has planned it, or that it has not yet."""
    store = ImportStore(engine)
    deadline_seconds = clock.monotonic_seconds() + _PLAN_PATIENCE_SECONDS
    while (plan := store.read_plan(run_id)) is None:
        with engine.connect() as connection:
            stands_still = read_progress(connection, run_id).error is not None
        if stands_still or clock.monotonic_seconds() > deadline_seconds or clock.wait(0.2):
            typer.echo(f"run {run_id} is not planned yet: a fetcher counts it first", err=True)
            return
    per_minute = store.requests_per_minute()
    if per_minute is not None:
        cost = cost_of(plan, rows_per_page=MAX_ROWS_PER_PAGE, per_minute=per_minute)
        typer.echo(f"run {run_id}: {cost}", err=True)


def _follow(engine: Engine, run_id: int, *, what: str = "import", as_json: bool) -> None:
    clock = Clock()
    signal.signal(signal.SIGINT, lambda *_: clock.stopping.set())

    _announce(engine, run_id, clock)

    def read() -> Progress:
        with engine.connect() as connection:
            return read_progress(connection, run_id)

    progress = watch(
        read,
        title=f"{what}, run {run_id}",
        until=lambda reading: reading.runs_open == 0,
        clock=clock,
    )
    if as_json:
        with engine.begin() as connection:
            settle_windows(connection)
        typer.echo(json.dumps(asdict(read()), default=str))
    if progress.runs_open:
        typer.echo(f"run {run_id} goes on without being watched: ./sirenade status", err=True)
        raise typer.Exit(EXIT_INTERRUPTED)
    not_received = max(0, (progress.expected or 0) - progress.received)
    if progress.batches_failed or progress.missing or not_received or progress.error:
        typer.echo(
            f"run {run_id} is not whole: {progress.batches_failed} batches failed, "
            f"{progress.missing + not_received} establishments missing. {progress.error or ''}",
            err=True,
        )
        raise typer.Exit(EXIT_BROKEN_PROMISE)


if __name__ == "__main__":
    run_cli(app, name="sirenade")
