"""`./sirenade prove`: the promises, run for real and measured from outside."""

import datetime as dt
import math
import os
import random
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from sqlalchemy import Engine, text

from deploy.local.errors import LocalServerError
from deploy.local.places import LOCAL
from deploy.local.simulator import DEPARTEMENT
from deploy.proving.blows import MEAN_WAIT_SECONDS, make_blows
from deploy.proving.chaos import Chaos, is_over
from deploy.proving.facts import read_facts
from deploy.proving.page import Proof, write
from deploy.proving.promises import Promise, judge
from deploy.proving.sampling import Sampler
from deploy.proving.stack import Stack, names, run_stack
from shared.cli import EXIT_BROKEN_PROMISE, make_app
from shared.cli import run as run_cli
from shared.db.engine import make_engine
from shared.errors import UserError
from shared.progress import Progress
from shared.progress_view import ProgressView, one_line

_DAYS_OF_PHASE = {1: 7, 2: 15}
_ROWS_PER_REQUEST = 1000
# A day's share needs its slots, the first answer and the last; and the next day does not wait.
_DAY_MARGIN = 1.05
_WIDTH = 100
_TELL_EVERY = 30
_ROWS_PER_REQUEST_OF_CHAOS = 100
_GENERATORS_OF_CHAOS = 5
_CHAOS_SETTINGS = {
    "SIRENADE_INSEE_ROWS_PER_PAGE": str(_ROWS_PER_REQUEST_OF_CHAOS),
    "SIRENADE_REVIEWER_GENERATORS": str(_GENERATORS_OF_CHAOS),
    # A kill is made good once leases and stalls run out: short here, to wait less.
    "SIRENADE_INSEE_TIMEOUT_SECONDS": "3",
    "SIRENADE_FETCHER_SLOT_PATIENCE_SECONDS": "3",
    "SIRENADE_FETCHER_STALL_SECONDS": "8",
    "SIRENADE_REVIEWER_LEASE_SECONDS": "10",
    "SIRENADE_REVIEWER_STALL_SECONDS": "15",
}
_ORDER = text("""
    INSERT INTO import_runs (departements, row_limit, per_day, day_seconds)
    VALUES (:departements, :row_limit, :per_day, :day_seconds)
""")

app = make_app("What runs the whole of Sirenade, to see what it is worth.")
prove = make_app("Prove what is promised: real services, the true quota, measured from outside.")
app.add_typer(prove, name="prove")


@prove.command("import")
def import_(  # noqa: PLR0913  # each an option of the command
    *,
    phase: Annotated[
        int, typer.Option(help="1: seven days, 245 000 establishments; 2: fifteen, 525 000.")
    ] = 1,
    days: Annotated[int | None, typer.Option(help="So many days instead.", min=1, max=365)] = None,
    per_day: Annotated[
        int, typer.Option(help="Establishments a day.", min=1, max=600_000)
    ] = 35_000,
    continuous: Annotated[
        bool,
        typer.Option("--continuous", help="In daily shares, a short day each; else in one go."),
    ] = False,
    day_seconds: Annotated[
        float | None,
        typer.Option(help="Length of such a day; what its share takes at the quota unless told."),
    ] = None,
    quota: Annotated[
        int, typer.Option(help="Requests a minute that the simulator allows.", min=1, max=10_000)
    ] = 30,
    generators: Annotated[int, typer.Option(help="Texts at once.", min=1, max=200)] = 10,
    directory: Annotated[Path, typer.Option(help="Where the run is kept.")] = LOCAL / "prove",
) -> None:
    """Import a phase over real services, with its texts, and say which promises were kept.

    At the public quota phase 1 takes some 8 minutes, phase 2 some 18. Status 1 says that a
    promise was broken; the page and the JSON are kept either way.
    """
    if phase not in _DAYS_OF_PHASE:
        raise UserError(f"--phase {phase}: there are 1 (7 days) and 2 (15 days)")
    days = days or _DAYS_OF_PHASE[phase]
    rows = days * per_day
    order: dict[str, object] = {
        "departements": [DEPARTEMENT],
        "row_limit": rows,
        "per_day": per_day if continuous else None,
        "day_seconds": None,
    }
    if continuous:
        order["day_seconds"] = day_seconds or 60 * per_day / _ROWS_PER_REQUEST / quota * _DAY_MARGIN
    console = Console(stderr=True)
    folder = _fresh(directory / "import")
    title = f"{days} × {per_day:,} establishments".replace(",", "\N{NO-BREAK SPACE}")
    console.print(f"{title}: starting PostgreSQL, RabbitMQ, the simulator and the services")
    try:
        with run_stack(
            folder,
            establishments=rows,
            requests_per_minute=quota,
            settings={"SIRENADE_REVIEWER_GENERATORS": str(generators)},
        ) as stack:
            engine = make_engine(stack.database_url, application_name="sirenade-prove", pool_size=1)
            proof = _run(stack, engine, order, title=title, rows=rows, quota=quota, console=console)
            engine.dispose()
    except LocalServerError as error:
        raise UserError(str(error)) from error
    _tell(proof, folder, console)


@prove.command()
def chaos(
    *,
    kills: Annotated[int, typer.Option(help="How often something is struck.", min=1)] = 20,
    rows: Annotated[
        int, typer.Option(help="Establishments to import meanwhile.", min=1000, max=600_000)
    ] = 20_000,
    seed: Annotated[
        int | None, typer.Option(help="Of the blows and their order; drawn and told unless given.")
    ] = None,
    directory: Annotated[Path, typer.Option(help="Where the run is kept.")] = LOCAL / "prove",
) -> None:
    """Strike at random in the middle of an import with its texts, then look what is whole.

    Processes, PostgreSQL and RabbitMQ are killed with -9, their connections cut. The quota is
    chosen so that the import lasts as long as the blows.
    """
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    console = Console(stderr=True)
    console.print(f"{kills} blows at an import of {rows} establishments, --seed {seed}")
    # Twice the time of the waits: servers that were killed take some time to come back.
    minutes = 2 * kills * MEAN_WAIT_SECONDS / 60
    quota = math.ceil(rows / _ROWS_PER_REQUEST_OF_CHAOS / minutes)
    try:
        with run_stack(
            _fresh(directory / "chaos"),
            establishments=rows,
            requests_per_minute=quota,
            settings=_CHAOS_SETTINGS,
        ) as stack:
            promises = _strike(stack, kills=kills, rows=rows, seed=seed, console=console)
    except LocalServerError as error:
        raise UserError(str(error)) from error
    _tell_promises(promises, console)


def _strike(
    stack: Stack, *, kills: int, rows: int, seed: int, console: Console
) -> Sequence[Promise]:
    for service in ("fetcher", "writer", "reviewer"):
        for name in names(service, 2):
            stack.start(name)
    engine = make_engine(stack.database_url, application_name="sirenade-prove", pool_size=1)
    with engine.begin() as connection:
        order = {"row_limit": None, "per_day": None, "day_seconds": None}
        connection.execute(_ORDER, {"departements": [DEPARTEMENT], **order})
    work = Chaos(stack, engine, _GENERATORS_OF_CHAOS, console.print, struck=[])
    work.run(make_blows(seed, kills, list(stack.services)))
    promises = work.judge(rows=rows, kills=kills)
    engine.dispose()
    struck = ", ".join(f"{name} {times}" for name, times in Counter(work.struck).most_common())
    console.print(f"struck: {struck}; ended by themselves and started again: {work.restarted}")
    return promises


def _fresh(folder: Path) -> Path:
    folder = folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _run(  # noqa: PLR0913  # what a proof is made of
    stack: Stack,
    engine: Engine,
    order: dict[str, object],
    *,
    title: str,
    rows: int,
    quota: int,
    console: Console,
) -> Proof:
    for service in ("fetcher", "writer", "reviewer"):
        for name in names(service, 1):
            stack.start(name)
    with engine.begin() as connection:
        connection.execute(_ORDER, order)
    sampler = Sampler(stack, engine)
    _follow(sampler, title, console)
    samples = sampler.samples
    first = next(each.at_seconds for each in samples if each.requests)
    import_end = next(each.at_seconds for each in samples if each.received == samples[-1].received)
    return Proof(
        title=title,
        quota_per_minute=quota,
        samples=samples,
        promises=judge(
            samples, read_facts(engine, promised_rows=rows, rests=order["per_day"] is not None)
        ),
        at=dt.datetime.now(dt.UTC),
        seconds=samples[-1].at_seconds - first,
        import_seconds=import_end - first,
    )


def _follow(sampler: Sampler, title: str, console: Console) -> None:
    view = ProgressView(title, width=min(console.width - 2, _WIDTH))
    with Live(console=console, auto_refresh=False) as live:

        def tell(progress: Progress) -> None:
            for name, process in sampler.stack.services.items():
                if process.poll() is not None:
                    raise UserError(f"{name} has ended: see {sampler.stack.logs / name}.log")
            if console.is_terminal:
                live.update(view.draw(progress), refresh=True)
            elif len(sampler.samples) % _TELL_EVERY == 1:
                console.print(one_line(progress), soft_wrap=True, highlight=False)

        sampler.follow(is_over, tell=tell)


def _tell(proof: Proof, folder: Path, console: Console) -> None:
    page = write(proof, folder)
    console.print(f"page: {os.path.relpath(page)}", soft_wrap=True)
    _tell_promises(proof.promises, console)


def _tell_promises(promises: Sequence[Promise], console: Console) -> None:
    Console().print(_table(promises))
    broken_ones = [each for each in promises if not each.kept]
    for broken in broken_ones:
        console.print(
            f"[bold red]broken:[/] {broken.name}: promised {broken.promised}, "
            f"measured {broken.measured}",
            soft_wrap=True,
        )
    if broken_ones:
        raise typer.Exit(EXIT_BROKEN_PROMISE)


def _table(promises: Sequence[Promise]) -> Table:
    table = Table(title="Promised, measured", title_justify="left")
    table.add_column("")
    table.add_column("promised", justify="right")
    table.add_column("measured", justify="right")
    table.add_column("")
    for each in promises:
        mark = "[green]kept[/]" if each.kept else "[bold red]broken[/]"
        table.add_row(each.name, each.promised, each.measured, mark)
    return table


if __name__ == "__main__":
    run_cli(app, name="sirenade")
