"""The forecast of an import or a delta: its plan by counts, as the service makes it."""

import textwrap
from dataclasses import asdict

from services.fetcher.commands.desk import open_desk
from services.fetcher.daily_share import MOST_ROWS
from services.fetcher.insee.client import InseeClient
from services.fetcher.plan.costs import (
    ImportForecast,
    cost_before_cuts,
    cost_of,
    days_of,
    rows_of,
    stock_advice,
)
from services.fetcher.plan.deltas import Decision, DeltaOrder, decide, make_delta_plan
from services.fetcher.plan.windows import make_plan
from services.fetcher.settings import FetcherSettings
from services.fetcher.store import ImportStore
from shared.clock import Clock
from shared.imports.held import in_words, is_everything
from shared.imports.scope import Scope
from shared.terminal.cli import print_json, say
from shared.terminal.words import thousands


def forecast(settings: FetcherSettings, scope: Scope, row_limit: int | None) -> ImportForecast:
    with open_desk(settings, Clock()) as desk:
        plan = make_plan(
            scope, row_limit=row_limit, walkers=settings.walkers, count=desk.inquirer.count
        )
        cost = cost_of(plan, rows_per_page=desk.rows_per_page, per_minute=desk.per_minute)
        return ImportForecast(plan, cost, counts=desk.inquirer.requests)


def forecast_delta(settings: FetcherSettings, order: DeltaOrder) -> tuple[ImportForecast, Decision]:
    """Forecast a delta that does not wait for INSEE. Raises UserError where a date is missing."""
    with open_desk(settings, Clock()) as desk:
        store = ImportStore(desk.engine)
        insee = desk.inquirer.ask(InseeClient.informations).collections
        decision = decide(order, insee, store.read_watermarks())
        scopes = store.read_scopes(order)
        say(f"counting what INSEE treated in {in_words(scopes)}", err=True)
        plan = make_delta_plan(
            decision.windows, scopes, count=desk.inquirer.count, most_rows=MOST_ROWS
        )
        cost = cost_before_cuts(plan, rows_per_page=desk.rows_per_page, per_minute=desk.per_minute)
        advice = stock_advice(cost) if is_everything(scopes) else None
        found = ImportForecast(plan, cost, counts=desk.inquirer.requests, advice=advice)
        return found, decision


def print_forecast(found: ImportForecast, per_day: int | None, *, as_json: bool) -> None:
    if as_json:
        windows = [{"query": each.window.query, "rows": rows_of(each)} for each in found.plan]
        told = {"windows": windows, "counts": found.counts, "cost": asdict(found.cost)}
        print_json(told | {"advice": found.advice})
        return
    for batch in found.plan:
        # The query of a list of sirets would fill the screen.
        query = textwrap.shorten(batch.window.query, 100, placeholder=" …")
        say(f"{thousands(rows_of(batch)):>12} rows  {query}")
    if per_day is not None:
        say(days_of(found.cost.rows, per_day))
    if found.advice is not None:
        say(found.advice)
    say(f"{found.cost}; counting took {found.counts} requests, nothing is imported")
