"""`./sirenade refresh`."""

import signal
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import Engine, text
from typer import Argument, Option

from services.fetcher.commands.desk import open_desk
from services.fetcher.commands.lookup import check_numbers, look_up
from services.fetcher.settings import FetcherSettings
from shared.clock import Clock
from shared.db.engine import temporary_engine
from shared.db.shards import url_for
from shared.imports.orders import order_refresh
from shared.imports.scope import Scope
from shared.settings import load
from shared.sirene.identifiers import siren_of
from shared.terminal.cli import EXIT_BROKEN_PROMISE, EXIT_INTERRUPTED, print_json, say
from shared.terminal.console import Console

_POLL_SECONDS = 0.5
_NAME = "sirenade-refresh"
_NOT_STORED = "not stored"
_READ = text("""
    SELECT etat_administratif, statut_diffusion, date_dernier_traitement
    FROM unites_legales WHERE siren = :number
    UNION ALL
    SELECT etat_administratif, statut_diffusion, date_dernier_traitement
    FROM etablissements WHERE siret = :number
""")
_STATUSES = text("SELECT id, status FROM import_runs WHERE id = ANY(:ids)")


def refresh(
    numbers: Annotated[list[str], Argument(metavar="SIREN|SIRET…", help="Numbers to fetch anew.")],
    as_json: Annotated[bool, Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """Fetch units and all their establishments anew, and store what comes, whatever stands.

    Neither the date of a stored row nor an earlier P keeps out what INSEE shows
    now; `forget` does. The fetcher service carries it out.

    Example: ./sirenade refresh 552032534
    """
    check_numbers(numbers)
    settings, clock = load(FetcherSettings), Clock()
    wanted = list(dict.fromkeys(numbers))
    before = {number: _stored(settings, number) for number in wanted}
    with open_desk(settings, clock) as desk:
        states = {number: look_up(settings, desk, number).state for number in wanted}
        sirens = dict.fromkeys(siren_of(each) for each in wanted if states[each] == "listed")
        with desk.engine.begin() as connection:
            runs = [order_refresh(connection, Scope.of_unit(siren)) for siren in sirens]
        failed = _wait(desk.engine, runs, clock)
    now = {number: _stored(settings, number) for number in wanted}
    _print(wanted, states, before, now, as_json=as_json)
    if failed:
        say(f"run {failed[0]} failed: ./sirenade status says why", err=True)
        raise typer.Exit(EXIT_BROKEN_PROMISE)


def _stored(settings: FetcherSettings, number: str) -> str:
    url = url_for(settings, siren_of(number))
    with temporary_engine(url, application_name=_NAME) as shard, shard.connect() as connection:
        row = connection.execute(_READ, {"number": number}).one_or_none()
    if row is None:
        return _NOT_STORED
    return f"{row[0] or '-'} {row[1]} {row[2].isoformat() if row[2] else '-'}"


def _wait(engine: Engine, runs: Sequence[int], clock: Clock) -> list[int]:
    """Wait until the runs have ended; return those that failed."""
    signal.signal(signal.SIGINT, lambda *_: clock.stopping.set())
    while True:
        with engine.connect() as connection:
            statuses = {row.id: row.status for row in connection.execute(_STATUSES, {"ids": runs})}
        if not {"pending", "running"}.intersection(statuses.values()):
            return [run for run, status in statuses.items() if status == "failed"]
        if clock.wait(_POLL_SECONDS):
            say("the refresh goes on without being watched: ./sirenade status", err=True)
            raise typer.Exit(EXIT_INTERRUPTED)


def _print(
    numbers: Sequence[str],
    states: Mapping[str, str],
    before: Mapping[str, str],
    now: Mapping[str, str],
    *,
    as_json: bool,
) -> None:
    table = Table("number", "INSEE", "before", "now")
    for each in numbers:
        row = {"number": each, "insee": states[each], "before": before[each], "now": now[each]}
        if as_json:
            print_json(row)
        table.add_row(*row.values())
    if not as_json:
        Console().print(table)
