"""`./sirenade import`."""

from dataclasses import asdict, replace
from typing import Annotated, NamedTuple

from sqlalchemy import Engine
from typer import Option

from services.fetcher.commands.follow import follow
from services.fetcher.commands.forecast import forecast, print_forecast
from services.fetcher.commands.options import Plan, ScopeOptions, Wait, with_scope_options
from services.fetcher.commands.scopes import checked_scope
from services.fetcher.daily_share import MOST_ROWS, Rhythm, checked_rhythm, order_daily
from services.fetcher.settings import FetcherSettings
from shared.db.revision import current_engine
from shared.errors import UserError
from shared.imports.orders import order_import, order_import_once
from shared.imports.runs import RunState, RunSummary, read_run
from shared.imports.scope import Scope
from shared.settings import DatabaseSettings, load
from shared.terminal.cli import AsJson, print_result, say
from shared.terminal.words import paused_run, thousands


@with_scope_options
def import_(  # noqa: PLR0913  # each an option of the command
    named: ScopeOptions,
    *,
    limit: Annotated[
        int | None, Option(help="Import at most this many establishments in all.")
    ] = None,
    per_day: Annotated[
        int | None, Option(help="Import at most this many establishments a day, with --continuous.")
    ] = None,
    continuous: Annotated[
        bool,
        Option(
            "--continuous",
            help="Go on day after day, each where the day before ended, until the plan is done.",
        ),
    ] = False,
    day_seconds: Annotated[
        float | None, Option(help="Rehearse: a day lasts this many seconds, not the calendar's.")
    ] = None,
    again: Annotated[
        bool, Option("--again", help="Order it even where an import of the same scope is open.")
    ] = False,
    plan: Plan = False,
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Import the establishments of places, narrowed down by activity, state or range of SIRET.

    The order is kept in the database: the fetcher service carries it out, watched or not.

    An import that is ordered again while it is open goes on where it is, with
    the new share of a day if one is given. A daily import with no place named
    is the one under way, or the whole register. Its days end at midnight in
    France. ./sirenade runs lists, pauses and cancels imports.

    Examples: ./sirenade import --region Bretagne --activite 10.71C --etat A
              ./sirenade import --per-day 35000 --continuous
    """
    if limit is not None and not 1 <= limit <= MOST_ROWS:
        raise UserError(f"--limit {limit} makes no sense: use 1 to {MOST_ROWS}")
    rhythm = checked_rhythm(per_day, day_seconds, continuous=continuous)
    is_named = any(vars(named).values())
    scope = checked_scope(named if is_named or rhythm is None else replace(named, everything=True))
    if plan:
        found = forecast(load(FetcherSettings), scope, limit)
        print_forecast(found, per_day, as_json=as_json)
        return
    with current_engine(
        load(DatabaseSettings).database_url.get_secret_value(), application_name="sirenade-import"
    ) as engine:
        order = _order(engine, scope if is_named or rhythm is None else None, rhythm, limit, again)
        with engine.connect() as connection:
            run = read_run(connection, order.run_id)
        assert run is not None
        line = _told(order, run)
        if not wait or run.state is RunState.PAUSED:
            print_result(order._asdict(), line, as_json=as_json)
            return
        if order.goes_on:
            say(line, err=True)
        follow(engine, order.run_id, per_day=per_day, as_json=as_json)


class _Order(NamedTuple):
    run_id: int
    goes_on: bool
    # The change that the order makes, in words.
    change: str | None = None


def _order(
    engine: Engine, scope: Scope | None, rhythm: Rhythm | None, limit: int | None, again: bool
) -> _Order:
    if again:
        share = {} if rhythm is None else asdict(rhythm)
        with engine.begin() as connection:
            run_id = order_import(connection, scope or Scope(), row_limit=limit, **share)
        return _Order(run_id, goes_on=False)
    if rhythm is None:
        with engine.begin() as connection:
            return _Order(*order_import_once(connection, scope or Scope(), row_limit=limit))
    daily = order_daily(engine, scope, rhythm, row_limit=limit)
    if not daily.goes_on or daily.was == rhythm:
        return _Order(daily.run_id, daily.goes_on)
    was = "all at once" if daily.was is None else _days(daily.was)
    return _Order(
        daily.run_id, goes_on=True, change=f"{_days(rhythm)} from now on, until now {was}"
    )


def _days(rhythm: Rhythm) -> str:
    length = "day" if rhythm.day_seconds is None else f"{rhythm.day_seconds:g} s"
    return f"{thousands(rhythm.per_day)} rows a {length}"


def _told(order: _Order, run: RunSummary) -> str:
    """Say what the order does: a new run, or one that is open already."""
    if not order.goes_on:
        return f"run {order.run_id} is ordered"
    line = f"run {order.run_id} imports this already and goes on where it is"
    if order.change is not None:
        line += f", {order.change}"
    elif run.per_day is not None:
        line += f", {_days(Rhythm(run.per_day))}"
    if run.state is RunState.PAUSED:
        line += f"; {_paused(run)}"
    return f"{line} (--again orders a second walk)"


def _paused(run: RunSummary) -> str:
    assert run.halted_at is not None
    by, because = run.halted_by or "?", run.halted_because or "?"
    return paused_run(run.run_id, by, because, run.halted_at.timestamp())
