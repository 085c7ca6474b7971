"""A run that is ordered, followed until it ends."""

import signal
from collections.abc import Callable
from dataclasses import asdict

import typer
from sqlalchemy import Engine

from services.fetcher.plan.costs import cost_of, days_of
from services.fetcher.plan.page_end import MAX_ROWS_PER_PAGE
from services.fetcher.store import ImportStore
from shared.clock import Clock
from shared.db.outages import outlast
from shared.imports.progress import Progress, read_progress
from shared.imports.runs import RunState, read_run
from shared.imports.statement import StatementSubject, in_one_line, read_statement
from shared.imports.watermarks import settle_windows
from shared.terminal.cli import EXIT_BROKEN_PROMISE, EXIT_INTERRUPTED, print_json, say
from shared.terminal.progress_view import watch_progress

# A région is counted within this time at the public quota; then the progress is shown all the same.
_PLAN_PATIENCE_SECONDS = 30.0
# A service that was started together with the command has left its first heartbeat by then.
_START_PATIENCE_SECONDS = 3.0


def follow(
    engine: Engine, run_id: int, *, per_day: int | None = None, what: str = "import", as_json: bool
) -> None:
    """Show the progress of a run until it ends or SIGINT comes; the run goes on all the same.

    Raises typer.Exit where it is interrupted, or where rows are missing at the end.
    """
    clock = Clock()
    signal.signal(signal.SIGINT, lambda *_: clock.stopping.set())

    def read() -> Progress:
        with engine.connect() as connection:
            return read_progress(connection, run_id)

    outlast(lambda: _announce(ImportStore(engine), read, run_id, per_day, clock), clock)
    progress = watch_progress(
        read,
        title=f"{what}, run {run_id}",
        until=lambda reading: reading.runs_open == 0,
        clock=clock,
    )
    if as_json:
        progress = outlast(lambda: _settled(engine, read), clock)
        print_json({"run_id": run_id, **asdict(progress)})
    if progress.runs_open:
        say(f"run {run_id} goes on without being watched: ./sirenade status", err=True)
        raise typer.Exit(EXIT_INTERRUPTED)
    if progress.stale_because:
        say(progress.stale_because, err=True)
    outlast(lambda: _check(engine, run_id, progress.error), clock)


def _settled(engine: Engine, read: Callable[[], Progress]) -> Progress:
    """Return the progress with the watermarks that its end has moved."""
    with engine.begin() as connection:
        settle_windows(connection)
    return read()


def _check(engine: Engine, run_id: int, error: str | None) -> None:
    """Print the statement of a run that has ended.

    Raises typer.Exit where rows are missing, or where somebody cancelled it.
    """
    subject = StatementSubject(run_id=run_id)
    with engine.connect() as connection:
        statement = read_statement(connection, subject, by_departement=False)
        run = read_run(connection, run_id)
    say(in_one_line(statement), err=True)
    if run is not None and run.state is RunState.CANCELLED:
        say(f"run {run_id} was cancelled by {run.halted_by}: {run.halted_because}", err=True)
        raise typer.Exit(EXIT_BROKEN_PROMISE)
    if not statement.is_kept or error:
        say(
            f"run {run_id} is not whole: {statement.failed_batches} batches failed. "
            f"{error or ''} ./sirenade statement --run {run_id} says where",
            err=True,
        )
        raise typer.Exit(EXIT_BROKEN_PROMISE)


def _announce(
    store: ImportStore, read: Callable[[], Progress], run_id: int, per_day: int | None, clock: Clock
) -> None:
    """Print what the run costs as soon as a fetcher has planned it, or why it is not planned."""
    deadline_seconds = clock.monotonic_seconds() + _PLAN_PATIENCE_SECONDS
    silent_seconds = clock.monotonic_seconds() + _START_PATIENCE_SECONDS
    while (plan := store.read_plan(run_id)) is None:
        reading = read()
        if reading.paused:
            return
        if reading.warning is not None:
            say(f"run {run_id} waits: {reading.warning}", err=True)
            return
        if reading.silent and clock.monotonic_seconds() > silent_seconds:
            say(*reading.silent, err=True)
            return
        is_late = clock.monotonic_seconds() > deadline_seconds
        if reading.error is not None or is_late or clock.wait(0.2):
            say(f"run {run_id} is not planned yet: a fetcher counts it first", err=True)
            return
    per_minute = store.requests_per_minute()
    if per_minute is not None:
        cost = cost_of(plan, rows_per_page=MAX_ROWS_PER_PAGE, per_minute=per_minute)
        days = "" if per_day is None else f"; {days_of(cost.rows, per_day)}"
        say(f"run {run_id}: {cost}{days}", err=True)
