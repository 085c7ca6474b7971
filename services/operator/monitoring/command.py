"""`./sirenade monitor`, which goes on while a server is away, and `status`."""

import logging
import signal
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer
from rich.console import RenderableType
from sqlalchemy import Engine

from services.operator.connections import open_engines
from services.operator.monitoring import view
from services.operator.monitoring.monitor import Monitor, outside_of
from services.operator.monitoring.readings import Reader
from services.operator.monitoring.recorder import Summary
from services.operator.output import print_fields
from services.operator.settings import MonitorSettings
from shared.clock import Clock
from shared.db.shards import connected
from shared.errors import UserError
from shared.imports.progress import Progress, read_progress, run_exists
from shared.settings import load
from shared.terminal.cli import AsJson, print_json
from shared.terminal.console import Console
from shared.terminal.panel import panel_width
from shared.terminal.progress_view import watch_progress
from shared.terminal.watch import watch
from shared.terminal.words import cents, duration, mib, thousands

_STATEMENT_TIMEOUT_SECONDS = 10
# Without a terminal `monitor` prints a line this often.
_LINE_EVERY_SECONDS = 60.0

RunOption = Annotated[int | None, typer.Option("--run", help="Show this run only.")]


def monitor(  # noqa: PLR0913  # each an option of the command
    *,
    seconds: Annotated[
        float, typer.Option("--duration", help="End after this time.", min=1, metavar="SECONDS")
    ] = 21_600,
    interval: Annotated[
        float, typer.Option(help="Time between two looks.", min=1, metavar="SECONDS")
    ] = 5,
    until_done: Annotated[
        bool, typer.Option("--until-done", help="End when nothing is left to do.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="Look once, without a summary.")] = False,
    run: RunOption = None,
    as_json: AsJson = False,
) -> None:
    """Watch everything: rate, ETA, quota, queues, memory, texts, money, alerts.

    Queues: by the management API at port 15672 of SIRENADE_BROKER_URL,
    at 15671 over https where that is amqps
    (SIRENADE_MONITOR_RABBITMQ_URL where it is elsewhere), else over AMQP.

    Memory and alerts: from Prometheus, at SIRENADE_MONITOR_PROMETHEUS_URL.
    Without it memory is that of this database's services on this machine,
    in containers or not (by /proc), and alerts are judged by one look at
    the databases and queues.

    Ends after --duration, or with Ctrl-C, with a summary. A server that is
    away is named, and asked again. --json prints a line for each look, and
    one for the summary.
    """
    settings, clock = load(MonitorSettings), Clock()
    # pika logs each attempt to reach a broker that is away.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    engines = _open(run, clock, statement_timeout_seconds=_STATEMENT_TIMEOUT_SECONDS)
    console = Console(stderr=True)
    watched = watch(
        Monitor(Reader(engines, run), outside_of(settings), clock).look,
        partial(_draw, width=panel_width(console, view.MAX_WIDTH)),
        _line,
        lambda monitor: once or (until_done and monitor.is_idle),
        clock=clock,
        console=console,
        every_seconds=interval,
        line_every_seconds=_LINE_EVERY_SECONDS,
        is_urgent=lambda monitor: monitor.turned,
        ends_seconds=clock.monotonic_seconds() + seconds,
        write=_print_json if as_json else None,
    )
    if as_json and not once:
        print_json(watched.summary.as_json())
    elif not once:
        _print_summary(watched.summary)


def status(
    run: RunOption = None, once: Annotated[bool, typer.Option("--once", help="Look once.")] = False
) -> None:
    """Show the work live: rows, rate, quota, avis, ETA. Ends when nothing is left to do.

    A row counts in each run that received it: ./sirenade stats says how many establishments stand.
    Renewals that are held, or begin at a rate, are said and not waited for.
    """
    clock = Clock()
    engines = _open(run, clock)

    def read() -> Progress:
        with connected(engines) as (control, *shards):
            return read_progress(control, run, shards=shards)

    title = "Sirenade · all runs" if run is None else f"Sirenade · run {run}"
    watch_progress(read, title=title, until=lambda now: once or now.is_idle, clock=clock)


def _open(run: int | None, clock: Clock, **options: int) -> Sequence[Engine]:
    """Open the databases, and let Ctrl-C end the look. Raises UserError for an unknown run."""
    engines = open_engines(**options)
    signal.signal(signal.SIGINT, lambda *_: clock.stopping.set())
    with connected(engines) as (control, *_):
        if run is not None and not run_exists(control, run):
            raise UserError(f"there is no run {run}")
    return engines


def _draw(monitor: Monitor, *, width: int) -> RenderableType:
    if monitor.snapshot is None:
        return monitor.away or ""
    title = f"Sirenade monitor · {duration(monitor.summary.seconds)}"
    return view.draw(monitor.snapshot, title=title, width=width, away=monitor.away)


def _line(monitor: Monitor) -> str:
    if monitor.away is not None:
        return monitor.away
    assert monitor.snapshot is not None
    return view.one_line(monitor.snapshot)


def _print_json(monitor: Monitor) -> None:
    if monitor.away is not None:
        now = monitor.clock.now().isoformat()
        print_json({"event": "away", "at": now, "database": monitor.away})
    else:
        assert monitor.snapshot is not None
        print_json(asdict(monitor.snapshot))


def _print_summary(summary: Summary) -> None:
    mean = summary.rows_per_second
    memory = (f"{name} {mib(size)}" for name, size in summary.greatest_rss_bytes.items())
    print_fields(
        "Sirenade monitor: what was seen",
        {
            "time": duration(summary.seconds),
            "rows": thousands(summary.rows),
            "mean rate": "?" if mean is None else f"{mean:.1f}/s",
            "429": thousands(summary.http_429),
            "texts": thousands(summary.texts),
            "spent": cents(summary.spent_eur),
            "failed items open": thousands(summary.failed_items),
            "greatest memory": " · ".join(memory) or None,
        },
    )
