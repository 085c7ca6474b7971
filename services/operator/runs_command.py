"""`./sirenade runs`: imports, deltas and refreshes, and the orders that halt them."""

import getpass
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from services.operator.connections import open_engine
from services.operator.output import print_fields, print_rows
from shared.days import FRANCE
from shared.errors import UserError
from shared.imports import halts
from shared.imports.runs import RunState, RunSummary, list_runs, read_run
from shared.terminal.cli import AsJson, make_app, print_json, print_result
from shared.terminal.words import duration, percent, thousands

app = make_app("List, show, pause, resume and cancel imports, deltas and refreshes.")

RunId = Annotated[int, typer.Argument(metavar="RUN", help="Its number, as list prints it.")]
Reason = Annotated[str, typer.Option(help="The reason, for whoever looks next.")]
By = Annotated[str | None, typer.Option("--by", help="Who orders it; your login by default.")]


@app.command("list")
def list_(
    *,
    limit: Annotated[int, typer.Option(help="The most runs.", min=1, max=10_000)] = 20,
    before: Annotated[int | None, typer.Option(help="Only runs older than this one.")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only runs that are not over.")] = False,
    as_json: AsJson = False,
) -> None:
    """List runs, the newest first: kind, scope, state, progress, rate, ETA."""
    with open_engine().connect() as connection:
        runs = list_runs(connection, limit=limit, before=before, open_only=open_only)
    if as_json:
        print_json([asdict(run) for run in runs])
        return
    empty = "no run is open" if open_only else "nothing was imported yet"
    print_rows([_row(run) for run in runs], "runs", as_json=False, empty=empty)


@app.command()
def show(run: RunId, as_json: AsJson = False) -> None:
    """Show one run, and who paused or cancelled it, when and why."""
    with open_engine().connect() as connection:
        found = read_run(connection, run)
    if found is None:
        raise UserError(f"there is no run {run}: ./sirenade runs list")
    if as_json:
        print_json(asdict(found))
    else:
        print_fields(f"run {run}", _fields(found))


@app.command()
def pause(run: RunId, reason: Reason, by: By = None, as_json: AsJson = False) -> None:
    """Let a run rest: it plans and fetches nothing more, and loses nothing, until it is resumed.

    Example: ./sirenade runs pause 3 --reason "the database moves tonight"
    """
    with open_engine().begin() as connection:
        changed = halts.pause(connection, run, _who(by), reason)
    _say_done(run, "paused", changed=changed, as_json=as_json)


@app.command()
def resume(run: RunId, as_json: AsJson = False) -> None:
    """Let a paused run go on where it is."""
    with open_engine().begin() as connection:
        changed = halts.resume(connection, run)
    line = f"run {run} goes on" if changed else f"run {run} is not paused: nothing changes"
    print_result({"run_id": run, "changed": changed}, line, as_json=as_json)


@app.command()
def cancel(run: RunId, reason: Reason, by: By = None, as_json: AsJson = False) -> None:
    """End a run for good. What was written stays; a cancelled delta moves no watermark.

    Example: ./sirenade runs cancel 3 --reason "the wrong département"
    """
    with open_engine().begin() as connection:
        changed = halts.cancel(connection, run, _who(by), reason)
    _say_done(run, "cancelled", changed=changed, as_json=as_json)


def _who(by: str | None) -> str:
    return getpass.getuser() if by is None else by


def _say_done(run_id: int, done: str, *, changed: bool, as_json: bool) -> None:
    line = f"run {run_id} is {done}" if changed else f"run {run_id} is {done} already"
    print_result({"run_id": run_id, "changed": changed}, line, as_json=as_json)


def _row(run: RunSummary) -> dict[str, object]:
    total = "?" if run.expected is None else thousands(run.expected)
    share = None if not run.expected else run.received / run.expected
    return {
        "run": run.run_id,
        "kind": run.kind,
        "state": run.state.value,
        "rows": f"{thousands(run.received)} / {total}",
        "done": percent(share),
        "rate": f"{run.rows_per_second:.1f}/s" if run.rows_per_second else None,
        "ETA": None if run.eta_seconds is None else duration(run.eta_seconds),
        "ordered": _local(run.created_at),
        "scope": run.scope,
    }


def _fields(run: RunSummary) -> dict[str, object]:
    halted = None
    if run.halted_at is not None:
        verb = "cancelled" if run.state is RunState.CANCELLED else "paused"
        halted = f"{verb} by {run.halted_by}, {_local(run.halted_at)}: {run.halted_because}"
    row = _row(run)
    return {
        **{name: row[name] for name in ("kind", "scope", "state", "rows", "done", "rate", "ETA")},
        "batches": f"{thousands(run.batches_done)} of {thousands(run.batches)}",
        "limit": run.row_limit,
        "rows a day": run.per_day,
        "halted": halted,
        "rows dropped after it": run.dropped or None,
        "goes on": _local(run.resting_until) if run.state.is_open else None,
        "ordered": _local(run.created_at),
        "ended": _local(run.completed_at),
        "warning": run.warning,
        "error": run.error,
    }


def _local(instant: datetime | None) -> str | None:
    return None if instant is None else f"{instant.astimezone(FRANCE):%d/%m/%Y %H:%M}"
