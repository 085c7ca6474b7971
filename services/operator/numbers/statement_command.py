"""`./sirenade statement`: expected, received and stored by département."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import Connection

from services.operator.connections import open_engine
from shared.db.shards import require_one_database
from shared.errors import UserError
from shared.imports.progress import run_exists
from shared.imports.statement import (
    Statement,
    StatementLine,
    StatementSubject,
    batch_exists,
    latest_run,
    read_sirets,
    read_statement,
)
from shared.settings import DatabaseSettings, load
from shared.terminal.cli import EXIT_BROKEN_PROMISE, AsJson, print_json, say
from shared.terminal.console import Console, cell
from shared.terminal.words import thousands

_COLUMNS = ("expected", "received", "stored", "failed items", "missing", "surplus", "gone")


def statement(
    *,
    run: Annotated[int | None, typer.Option(help="State this run; the latest by default.")] = None,
    batch: Annotated[int | None, typer.Option(help="State this batch.")] = None,
    day: Annotated[
        str | None, typer.Option(help="State batches that ended on this day in Paris: 2026-08-05.")
    ] = None,
    sirets: Annotated[bool, typer.Option("--sirets", help="List sirets, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print what was expected, received and stored by département, and every difference.

    Exit status 1 where something is missing, surplus, failed or was never received. A number that
    INSEE no longer lists is gone: it stays stored, and is no difference.
    """
    require_one_database(load(DatabaseSettings))
    with open_engine(statement_timeout_seconds=0).connect() as connection:
        subject = _subject(connection, run, batch, day)
        found = read_statement(connection, subject)
        listed = read_sirets(connection, subject) if sirets or as_json else {}
    if as_json:
        print_json(_as_json(found, listed))
    else:
        _print(found, listed)
    if not found.is_kept:
        raise typer.Exit(EXIT_BROKEN_PROMISE)


def _subject(
    connection: Connection, run: int | None, batch: int | None, day: str | None
) -> StatementSubject:
    if [run, batch, day].count(None) < 2:  # noqa: PLR2004  # at most one of the three is given
        raise UserError("give one of --run, --batch and --day")
    if day is not None:
        return StatementSubject(day=_checked_day(day))
    if batch is not None:
        if not batch_exists(connection, batch):
            raise UserError(f"there is no batch {batch}")
        return StatementSubject(batch_id=batch)
    if run is None and (run := latest_run(connection)) is None:
        raise UserError("nothing was imported yet: ./sirenade import --departement 33")
    if not run_exists(connection, run):
        raise UserError(f"there is no run {run}")
    return StatementSubject(run_id=run)


def _checked_day(day: str) -> dt.date:
    try:
        return dt.date.fromisoformat(day)
    except ValueError:
        raise UserError(f"--day {day!r} is no date: use 2026-08-05") from None


def _as_json(found: Statement, listed: Mapping[str, list[str]]) -> dict[str, object]:
    return {
        "run": found.subject.run_id,
        "batch": found.subject.batch_id,
        "day": found.subject.day,
        "is_kept": found.is_kept,
        "batches": found.batches,
        "open_batches": found.open_batches,
        "failed_batches": found.failed_batches,
        "not_received": found.not_received,
        "total": asdict(found.total),
        "departements": [asdict(line) for line in found.lines],
        **{f"{kind}_sirets": sirets for kind, sirets in listed.items()},
    }


def _print(found: Statement, listed: Mapping[str, list[str]]) -> None:
    table = Table("dép.", title=cell(f"statement of {found.subject}"), title_justify="left")
    for name in _COLUMNS:
        table.add_column(name, justify="right")
    for line in found.lines:
        table.add_row(*_cells(line))
    table.add_section()
    table.add_row(*_cells(found.total))
    Console().print(table)
    for remark in _remarks(found):
        say(remark)
    for kind, sirets in listed.items():
        for siret in sirets:
            say(f"{kind} {siret}")


def _cells(line: StatementLine) -> list[str]:
    numbers = (line.received, line.stored, line.failed_items, line.missing, line.surplus, line.gone)
    expected = "–" if line.expected is None else thousands(line.expected)
    return [cell(line.departement), expected, *map(thousands, numbers)]


def _remarks(found: Statement) -> list[str]:
    """Explain what the numbers alone do not tell."""
    remarks = {
        "–: INSEE told one total for several départements, none for this one": any(
            line.expected is None for line in found.lines
        ),
        f"{found.open_batches} of {found.batches} batches are still open: they state nothing yet": (
            found.open_batches
        ),
        f"{found.failed_batches} batches failed: ./sirenade status says why": found.failed_batches,
        f"{thousands(found.not_received)} establishments were expected and never received: "
        "INSEE's data moved during the walk; import again": found.not_received,
        "gone: INSEE no longer lists the number; it stays stored": (found.total.gone),
    }
    return [remark for remark, applies in remarks.items() if applies]
