"""`./sirenade import`."""

from dataclasses import replace
from typing import Annotated

from typer import Option

from services.fetcher.commands.follow import follow
from services.fetcher.commands.forecast import forecast, print_forecast
from services.fetcher.commands.options import Plan, ScopeOptions, Wait, with_scope_options
from services.fetcher.commands.scopes import checked_scope
from services.fetcher.daily_share import MOST_ROWS, checked_rhythm, order_daily
from services.fetcher.settings import FetcherSettings
from shared.db.revision import current_engine
from shared.errors import UserError
from shared.imports.orders import order_import
from shared.settings import DatabaseSettings, load
from shared.terminal.cli import AsJson, print_result


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
    plan: Plan = False,
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Import the establishments of places, narrowed down by activity, state or range of SIRET.

    The order is kept in the database: the fetcher service carries it out, watched or not.

    A daily import that is ordered again goes on where it is. With no place
    named, it is the one under way, or the whole register. Its days end at
    midnight in France.

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
        if rhythm is None:
            with engine.begin() as connection:
                run_id, goes_on = order_import(connection, scope, row_limit=limit), False
        else:
            wanted = scope if is_named else None
            run_id, goes_on = order_daily(engine, wanted, rhythm, row_limit=limit)
        if wait:
            follow(engine, run_id, per_day=per_day, as_json=as_json)
        else:
            line = f"run {run_id} {'goes on where it is' if goes_on else 'is ordered'}"
            print_result({"run_id": run_id}, line, as_json=as_json)
