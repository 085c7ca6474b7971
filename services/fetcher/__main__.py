"""Command line of the fetcher: the service itself, and the imports that it is asked for."""

import json
import signal
import textwrap
from dataclasses import asdict
from typing import Annotated

import typer
from sqlalchemy import Engine

from services.fetcher import main
from services.fetcher.commands import desk
from services.fetcher.commands.certify import certify, repair
from services.fetcher.commands.delta_orders import checked_order, outcome, request
from services.fetcher.commands.lookup import lookup
from services.fetcher.commands.scope_options import (
    Activites,
    Communes,
    Departements,
    Etat,
    Everything,
    Regions,
    SiretFrom,
    SiretTo,
)
from services.fetcher.commands.scopes import checked_scope
from services.fetcher.commands.successions import successions
from services.fetcher.daily_share import Rhythm, checked_rhythm, request_daily
from services.fetcher.plan.costs import ImportForecast, cost_of, days_of, rows_of
from services.fetcher.plan.page_end import MAX_ROWS_PER_PAGE
from services.fetcher.settings import FetcherSettings
from services.fetcher.store import ImportStore
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.migrate import require_current
from shared.errors import UserError
from shared.imports.orders import OVERLAP_HOURS
from shared.imports.progress import Progress, read_progress
from shared.imports.statement import StatementSubject, in_one_line, read_statement
from shared.imports.watermarks import settle_windows
from shared.settings import DatabaseSettings, load
from shared.terminal.cli import EXIT_BROKEN_PROMISE, EXIT_INTERRUPTED, make_app
from shared.terminal.cli import run as run_cli
from shared.terminal.progress_view import watch_progress

app = make_app("Fetch the register from INSEE, under the quota that all replicas share.")
app.command()(certify)
app.command()(repair)

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
    region: Regions = None,
    departement: Departements = None,
    commune: Communes = None,
    activite: Activites = None,
    etat: Etat = None,
    siret_from: SiretFrom = None,
    siret_to: SiretTo = None,
    everything: Everything = False,
    limit: Annotated[
        int | None, typer.Option(help="At most so many establishments in all.")
    ] = None,
    per_day: Annotated[
        int | None,
        typer.Option(help="At most so many establishments a day, with --continuous."),
    ] = None,
    continuous: Annotated[
        bool,
        typer.Option(
            "--continuous",
            help="Go on day after day, each where the day before ended, until the plan is done.",
        ),
    ] = False,
    day_seconds: Annotated[
        float | None,
        typer.Option(help="For rehearsals: a day of so many seconds, not the calendar's."),
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

    A daily import that is asked for again goes on where it is. With no place
    named, it is the one under way, or the whole register. Its days end at
    midnight in France.

    Examples: ./sirenade import --region Bretagne --activite 10.71C --etat A
              ./sirenade import --per-day 35000 --continuous
    """
    if limit is not None and not 1 <= limit <= _MAX_LIMIT:
        raise UserError(f"--limit {limit} makes no sense: use 1 to {_MAX_LIMIT}")
    rhythm = checked_rhythm(per_day, day_seconds, continuous=continuous)
    named = (region, departement, commune, activite, etat, siret_from, siret_to, everything)
    scope = checked_scope(
        region=region,
        departement=departement,
        commune=commune,
        activite=activite,
        etat=etat,
        siret_from=siret_from,
        siret_to=siret_to,
        everything=everything or (rhythm is not None and not any(named)),
    )
    if plan:
        found = desk.forecast(load(FetcherSettings), scope, limit)
        _show(found, rhythm, as_json=as_json)
        return
    settings = load(DatabaseSettings)
    engine = make_engine(
        settings.database_url.get_secret_value(), application_name="sirenade-import", pool_size=1
    )
    with engine.connect() as connection:
        require_current(connection)
    if rhythm is None:
        run_id, goes_on = ImportStore(engine).request_run(scope, row_limit=limit), False
    else:
        requested = request_daily(engine, scope if any(named) else None, rhythm, row_limit=limit)
        run_id, goes_on = requested.run_id, requested.goes_on
    if not wait:
        told = f"run {run_id} {'goes on where it is' if goes_on else 'is requested'}"
        typer.echo(json.dumps({"run_id": run_id}) if as_json else told)
        return
    _follow(engine, run_id, rhythm, as_json=as_json)


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
        forecast, decision = desk.forecast_delta(load(FetcherSettings), order)
        _show(forecast, None, as_json=as_json)
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
        _follow(engine, run_id, None, what="delta", as_json=as_json)
    finally:
        for line in outcome(engine, run_id):
            typer.echo(line, err=True)


app.command()(lookup)
app.command()(successions)


def _show(forecast: ImportForecast, rhythm: Rhythm | None, *, as_json: bool) -> None:
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
    if rhythm is not None:
        typer.echo(days_of(forecast.cost.rows, rhythm.per_day))
    typer.echo(f"{forecast.cost}; counting took {forecast.counts} requests, nothing is imported")


def _announce(engine: Engine, run_id: int, rhythm: Rhythm | None, clock: Clock) -> None:
    """Say what the run costs as soon as a fetcher has planned it, or that it has not yet."""
    store = ImportStore(engine)
    deadline_seconds = clock.monotonic_seconds() + _PLAN_PATIENCE_SECONDS
    while (plan := store.read_plan(run_id)) is None:
        with engine.connect() as connection:
            reading = read_progress(connection, run_id)
        if reading.warning is not None:
            typer.echo(f"run {run_id} waits: {reading.warning}", err=True)
            return
        if (
            reading.error is not None
            or clock.monotonic_seconds() > deadline_seconds
            or clock.wait(0.2)
        ):
            typer.echo(f"run {run_id} is not planned yet: a fetcher counts it first", err=True)
            return
    per_minute = store.requests_per_minute()
    if per_minute is not None:
        cost = cost_of(plan, rows_per_page=MAX_ROWS_PER_PAGE, per_minute=per_minute)
        days = "" if rhythm is None else f"; {days_of(cost.rows, rhythm.per_day)}"
        typer.echo(f"run {run_id}: {cost}{days}", err=True)


def _follow(
    engine: Engine, run_id: int, rhythm: Rhythm | None, *, what: str = "import", as_json: bool
) -> None:
    clock = Clock()
    signal.signal(signal.SIGINT, lambda *_: clock.stopping.set())

    _announce(engine, run_id, rhythm, clock)

    def read() -> Progress:
        with engine.connect() as connection:
            return read_progress(connection, run_id)

    progress = watch_progress(
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
    with engine.connect() as connection:
        statement = read_statement(
            connection, StatementSubject(run_id=run_id), by_departement=False
        )
    typer.echo(in_one_line(statement), err=True)
    if not statement.is_kept or progress.error:
        typer.echo(
            f"run {run_id} is not whole: {statement.failed_batches} batches failed. "
            f"{progress.error or ''} ./sirenade statement --run {run_id} says where",
            err=True,
        )
        raise typer.Exit(EXIT_BROKEN_PROMISE)


if __name__ == "__main__":
    run_cli(app, name="sirenade")
