"""`./sirenade delta`."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from sqlalchemy import Engine, text
from typer import Option

from services.fetcher.commands.follow import follow
from services.fetcher.commands.forecast import forecast_delta, print_forecast
from services.fetcher.commands.options import Plan, Wait
from services.fetcher.plan.deltas import DeltaOrder, NoWatermark
from services.fetcher.settings import FetcherSettings
from services.fetcher.store import ImportStore
from shared.db.revision import current_engine
from shared.errors import UserError
from shared.imports.held import count_outside, in_words, is_everything
from shared.imports.orders import OVERLAP_HOURS, order_delta
from shared.imports.treatments import COLLECTIONS
from shared.imports.watermarks import read_watermarks, settle_windows
from shared.settings import DatabaseSettings, load
from shared.sirene.values import paris_time
from shared.terminal.cli import AsJson, print_result, say
from shared.terminal.words import thousands

# INSEE's register is computerised since 1973: no treatment is older.
_FIRST_YEAR = 1973
_MAX_OVERLAP_HOURS = 24 * 366
_MAX_WAIT_MINUTES = 24 * 60

_WARNING = text("SELECT warning FROM import_runs WHERE id = :run_id")


def delta(  # noqa: PLR0913  # each an option of the command
    *,
    since: Annotated[
        str | None,
        Option(
            help="Begin here, Paris time: 2026-08-01 or 2026-08-01T06:00. Needed once, where "
            "nothing says how far the register is complete; later it only reaches further back."
        ),
    ] = None,
    overlap_hours: Annotated[
        float, Option(help="Read these hours before the watermark again: rows can be late.")
    ] = OVERLAP_HOURS,
    wait_minutes: Annotated[
        float,
        Option(
            help="Wait this long at most for INSEE to publish, which it does from 6:00 to 7:40."
        ),
    ] = 0.0,
    everything: Annotated[
        bool,
        Option("--all", help="All of France, not only what this database has been asked to hold."),
    ] = False,
    plan: Plan = False,
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Bring the register up to INSEE's latest day, from the point where it is complete.

    Establishments and legal units that INSEE treated since are fetched again,
    days missed included: those of the places that were imported, or all of
    France with --all. The point moves only once everything before it is
    written: `status` and `stats` show it. Where INSEE has published nothing
    new, the delta says so and ends.

    Example: ./sirenade delta --wait-minutes 120
    """
    order = checked_order(since=since, overlap_hours=overlap_hours, wait_minutes=wait_minutes)
    order = replace(order, everything=everything)
    if plan:
        found, decision = forecast_delta(load(FetcherSettings), order)
        print_forecast(found, None, as_json=as_json)
        for reason in decision.held_up:
            say(f"warning: {reason}", err=True)
        return
    with current_engine(
        load(DatabaseSettings).database_url.get_secret_value(), application_name="sirenade-delta"
    ) as engine:
        run_id = _order(engine, order)
        if not wait:
            print_result({"run_id": run_id}, f"run {run_id} is ordered", as_json=as_json)
            return
        try:
            follow(engine, run_id, what="delta", as_json=as_json)
        finally:
            for line in _outcome(engine, run_id, order):
                say(line, err=True)


def checked_order(*, since: str | None, overlap_hours: float, wait_minutes: float) -> DeltaOrder:
    """Raises UserError where `since` is no date, or where a time is out of range."""
    if not 0 <= overlap_hours <= _MAX_OVERLAP_HOURS:
        raise UserError(f"--overlap-hours {overlap_hours:g}: use 0 to {_MAX_OVERLAP_HOURS}")
    if not 0 <= wait_minutes <= _MAX_WAIT_MINUTES:
        raise UserError(f"--wait-minutes {wait_minutes:g}: use 0 to {_MAX_WAIT_MINUTES}")
    start = None if since is None else _checked_date(since)
    return DeltaOrder(start, overlap_hours, wait_minutes * 60)


def _checked_date(written: str) -> datetime:
    try:
        instant = paris_time(written)
    except (ValueError, OverflowError):
        raise UserError(
            f"--since {written!r} is no date: use 2026-08-01 or 2026-08-01T06:00, Paris time"
        ) from None
    if instant.year < _FIRST_YEAR:
        raise UserError(f"--since {written}: nothing was treated before {_FIRST_YEAR}")
    return instant


def _order(engine: Engine, order: DeltaOrder) -> int:
    """Keep the order in the database. Raises NoWatermark where it has no start."""
    with engine.begin() as connection:
        # A window that was complete a moment ago counts, even if no fetcher has looked since.
        settle_windows(connection)
        known = read_watermarks(connection)
        unknown = [each for each in COLLECTIONS if each not in known]
        if unknown and order.since is None:
            raise NoWatermark(unknown[0])
        return order_delta(
            connection,
            since=order.since,
            overlap_hours=order.overlap_hours,
            wait_minutes=order.wait_seconds / 60,
            everything=order.everything,
        )


def _outcome(engine: Engine, run_id: int, order: DeltaOrder) -> Iterator[str]:
    """Yield the run's warning if it has one, its scope, and how far the register is complete."""
    scopes = ImportStore(engine).read_scopes(order)
    with engine.begin() as connection:
        settle_windows(connection)
        warning = connection.execute(_WARNING, {"run_id": run_id}).scalar_one()
        known = read_watermarks(connection)
        outside = 0 if is_everything(scopes) else count_outside(connection, run_id, scopes)
    if warning:
        yield f"warning: {warning}"
    if not is_everything(scopes):
        yield f"scope: {in_words(scopes)}, as imported here; --all is all of France"
    if outside:
        yield (
            f"{thousands(outside)} of the establishments received are not in this scope by now: "
            "they closed, moved or changed; they are stored as INSEE has them"
        )
    for collection, watermark in sorted(known.items()):
        until = watermark.treated_until.isoformat(sep=" ", timespec="seconds")
        yield f"{collection}: complete up to {until}, Paris time"
