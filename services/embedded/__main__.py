"""The demo: three services in one process, over a broker in memory.

Only this module may import several services. PostgreSQL and the simulator are its child processes.
A run that was killed is resumed at the next start: all progress is rows, and sweeper and relay send
again what the broker in memory forgot.
"""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection, Engine, text

from deploy.local.demo_database import DATABASE, DIRECTORY, demo_postgres, only_demo, require_space
from deploy.local.peak_memory import PeakMemory
from deploy.local.postgres import RunningPostgres
from deploy.local.simulator import DEPARTEMENT, simulator
from services.embedded.report import draw_report, kept_its_promise, read_report, write_report
from services.embedded.turns import CountingClock, ImportFirst
from services.fetcher import main as fetcher
from services.fetcher.settings import FetcherSettings
from services.fetcher.store import ImportStore
from services.reviewer import main as reviewer
from services.reviewer.relay import forget_publications
from services.reviewer.settings import ReviewerSettings
from services.writer import main as writer
from services.writer.settings import WriterSettings
from shared.broker import make_broker, ready_messages
from shared.clock import Clock
from shared.db.engine import make_engine, temporary_engine
from shared.db.migrate import UnknownRevision, upgrade
from shared.imports.orders import order_import
from shared.imports.progress import Progress, read_progress
from shared.imports.scope import Scope
from shared.logs import configure_logs
from shared.metrics import Metrics
from shared.runtime.memory import return_freed_memory
from shared.runtime.middleware import ActorMetrics
from shared.runtime.service import Running, with_heartbeat
from shared.settings import load
from shared.terminal.cli import EXIT_BROKEN_PROMISE, EXIT_INTERRUPTED, make_app
from shared.terminal.cli import run as run_cli
from shared.terminal.console import Console
from shared.terminal.progress_view import watch_progress

# Space for an empty cluster, for an establishment (row, indexes, WAL), and the least that is left
# free: below it a run stops by itself.
_BASE_BYTES = 256 << 20
_BYTES_PER_ESTABLISHMENT = 10_000
_LEAST_FREE_BYTES = 64 << 20

app = make_app("Run everything in one process, without Docker or a system package.")


@contextmanager
def embedded_services(
    database_url: str, insee_url: str, *, requests_per_minute: int, clock: Clock
) -> Iterator[Engine]:
    """Run fetcher, writer and reviewer in this process until the block ends."""
    common: dict[str, object] = {
        "database_url": database_url,
        "shard_database_urls": "",
        "broker_url": "memory://",
        "insee_url": insee_url,
        "insee_key": "demo",
        # Queues in memory are never as long as real ones.
        "reviewer_stall_seconds": 60,
        "insee_requests_per_minute": requests_per_minute,
    }
    metrics = Metrics()
    # dramatiq warns of a second worker on one broker: here each service has its own.
    logging.getLogger("dramatiq.broker.MemoryBroker").setLevel(logging.ERROR)
    actors = ActorMetrics(metrics)
    broker = make_broker("memory://", extra_middleware=[actors])
    with ExitStack() as cleanup:
        cleanup.callback(broker.close)

        def engine_of(name: str) -> Engine:
            engine = make_engine(database_url, application_name=f"sirenade-{name}", pool_size=3)
            cleanup.callback(engine.dispose)
            return engine

        engine = engine_of("embedded")
        # This process is alone: every holder of a lease is dead, and its queues were in memory.
        ImportStore(engine).wake_everything()
        forget_publications(engine)
        fetcher_clock = CountingClock(stopping=clock.stopping)
        turns = ImportFirst(actors.in_progress, partial(ready_messages, broker), fetcher_clock)
        parts: dict[str, Any] = {"broker": broker, "metrics": metrics}
        services = [
            fetcher.build(
                load(FetcherSettings, **common),
                engine=engine_of("fetcher"),
                clock=fetcher_clock,
                **parts,
            ),
            writer.build(
                load(WriterSettings, **common), engine=engine_of("writer"), clock=clock, **parts
            ),
            reviewer.build(
                load(ReviewerSettings, **common),
                engine=engine_of("reviewer"),
                clock=clock,
                give_way=turns.give_way,
                **parts,
            ),
        ]
        services = [with_heartbeat(each, engine, version="") for each in services]
        running = Running(services, broker, clock, metrics)
        running.start()
        cleanup.callback(running.stop)
        yield engine


def _prepare_database(postgres: RunningPostgres, limit: int, console: Console) -> str:
    """Return the database of a run to resume, or a new one with its run ordered."""
    if postgres.has_database(DATABASE):
        url = postgres.url_for(DATABASE)
        if (done := _rows_of_unfinished(url, limit)) is not None:
            console.print(f"resuming the run that was interrupted: {done} establishments are in")
            return url
        postgres.drop_database(DATABASE)
    url = postgres.create_database(DATABASE)
    upgrade(url)
    with _connected(url) as connection:
        order_import(connection, Scope(departements=[DEPARTEMENT]), row_limit=limit)
    return url


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    with (
        temporary_engine(url, application_name="sirenade-demo") as engine,
        engine.begin() as connection,
    ):
        yield connection


def _rows_of_unfinished(url: str, limit: int) -> int | None:
    """Return the rows of an unfinished run of the same size; None where there is none."""
    try:
        upgrade(url)
    except UnknownRevision:
        return None
    with _connected(url) as connection:
        same = connection.scalar(
            text("SELECT count(*) FROM import_runs WHERE row_limit = :limit"), {"limit": limit}
        )
        progress = read_progress(connection)
    return progress.received if same and not progress.is_idle else None


@app.command()
def demo(
    establishments: Annotated[
        int, typer.Option("--establishments", "-n", help="How many to import.", min=1, max=600_000)
    ] = 35_000,
    requests_per_minute: Annotated[
        int, typer.Option(help="Quota that the simulator enforces.", min=1, max=10_000)
    ] = 30,
    directory: Annotated[
        Path, typer.Option(help="Folder for the demo's database and report.")
    ] = DIRECTORY,
) -> None:
    """Import one day of establishments from the simulator, and write the avis that are due.

    Resumes an interrupted run; after a finished one it begins anew with an empty database.
    """
    return_freed_memory()
    console, clock = Console(stderr=True), Clock()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: clock.stopping.set())
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    # The simulator offers more than is asked for, so that the limit is seen to hold.
    on_offer = max(40_000, establishments + establishments // 10)
    with (
        only_demo(directory),
        (directory / "log.jsonl").open("w", encoding="utf-8") as log,
        demo_postgres(directory, end_with_parent=True) as postgres,
        simulator(
            directory / "simulator",
            establishments=on_offer,
            requests_per_minute=requests_per_minute,
        ) as insee,
    ):
        needed_bytes = _BASE_BYTES + establishments * _BYTES_PER_ESTABLISHMENT
        require_space(directory, postgres.directory, free_bytes=needed_bytes)
        configure_logs("embedded", stream=log)
        url = _prepare_database(postgres, establishments, console)
        processes = {"services": os.getpid(), "postgres": postgres.pid, "simulator": insee.pid}
        memory = PeakMemory(processes)
        sampler = memory.follow(clock)
        with embedded_services(
            url, insee.url, requests_per_minute=requests_per_minute, clock=clock
        ) as engine:
            progress = _watch(engine, clock, directory, postgres.directory)
        # All services have stopped: the numbers of the report no longer move.
        sampler.join()
        if not progress.is_idle:
            console.print("stopped; `make demo` with the same N goes on from here")
            raise typer.Exit(EXIT_INTERRUPTED)
        _report(url, memory, directory / "report.json", console)


def _watch(engine: Engine, clock: Clock, *directories: Path) -> Progress:
    def read() -> Progress:
        require_space(*directories, free_bytes=_LEAST_FREE_BYTES)
        with engine.connect() as connection:
            return read_progress(connection)

    return watch_progress(
        read, title="Sirenade demo", until=lambda progress: progress.is_idle, clock=clock
    )


def _report(url: str, memory: PeakMemory, path: Path, console: Console) -> None:
    with _connected(url) as connection:
        report = read_report(connection, memory.bytes_by_process)
    write_report(report, path)
    Console().print(draw_report(report))
    console.print(f"report: {os.path.relpath(path)}")
    if not kept_its_promise(report):
        console.print("[bold red]the demo did not keep its promise: see the report above[/]")
        raise typer.Exit(EXIT_BROKEN_PROMISE)


if __name__ == "__main__":
    run_cli(app, name="sirenade")
