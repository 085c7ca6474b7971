"""`./sirenade monitor`: looks, draws, and goes on while a server is away."""

import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

import typer
from rich.console import Console, RenderableType
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.operator.connections import monitor_settings, open_engines
from services.operator.monitoring import view
from services.operator.monitoring.http import Unanswered
from services.operator.monitoring.outside import Prometheus, memory_here
from services.operator.monitoring.queues import QueueReader
from services.operator.monitoring.readings import Reader, Reading
from services.operator.monitoring.snapshot import (
    Outside,
    Summary,
    Teller,
    Told,
    tell_outside,
)
from services.operator.printing import print_fields, print_json
from services.operator.settings import MonitorSettings
from shared.clock import Clock
from shared.db.outages import is_outage
from shared.db.shards import connected
from shared.errors import UserError
from shared.imports.progress import run_exists
from shared.terminal.cli import AsJson
from shared.terminal.panel import panel_width
from shared.terminal.watch import watch
from shared.terminal.words import cents, duration, mib, thousands

_STATEMENT_TIMEOUT_SECONDS = 10
# Without a terminal a line is printed this often.
_LINE_EVERY_SECONDS = 60.0


@dataclass
class Monitor:
    """Looks at everything.

    `away` says since when the database does not answer, `turned` whether the last look found that
    it had gone away or come back.
    """

    reader: Reader
    look_outside: Callable[[], Outside]
    clock: Clock
    summary: Summary = field(default_factory=Summary)
    teller: Teller = field(default_factory=Teller)
    last: Reading | None = None
    told: Told | None = None
    away: str | None = None
    turned: bool = False

    def look(self) -> None:
        """Read all sources once. Raises DBAPIError where the database refuses a statement."""
        was_away = self.away is not None
        self._read_sources()
        self.turned = was_away != (self.away is not None)

    def _read_sources(self) -> None:
        outside = self.look_outside()
        try:
            reading = self.reader.read()
        except (DBAPIError, PoolTimeoutError) as error:
            if not is_outage(error):
                raise
            if self.away is None:
                now = self.clock.now().astimezone()
                self.away = f"the database does not answer since {now:%H:%M:%S}: asked again"
            if self.told is not None:
                self.told |= tell_outside(outside)
            return
        self.away, self.last = None, reading
        self.told = self.teller.tell(reading, outside)
        self.summary.add(reading, outside.memory)


def outside_of(settings: MonitorSettings) -> Callable[[], Outside]:
    queues = QueueReader(
        settings.broker_url.get_secret_value(), settings.monitor_rabbitmq_url.rstrip("/")
    )
    prometheus = Prometheus(settings.monitor_prometheus_url.rstrip("/"))

    database_url = settings.database_url.get_secret_value()

    def look() -> Outside:
        note = None
        if prometheus.url:
            try:
                return Outside(queues.read(), prometheus.memory(), prometheus.alerts())
            except Unanswered as error:
                note = f"Prometheus does not answer ({error}): memory is this machine's"
        return Outside(queues.read(), memory_here(database_url), None, note)

    return look


def monitor(
    *,
    duration: Annotated[
        float, typer.Option(help="Seconds to look for.", min=1, metavar="SECONDS")
    ] = 21_600,
    interval: Annotated[
        float, typer.Option(help="Seconds between two looks.", min=1, metavar="SECONDS")
    ] = 5,
    until_done: Annotated[
        bool, typer.Option("--until-done", help="End when nothing is left to do.")
    ] = False,
    run: Annotated[int | None, typer.Option(help="Only this run.")] = None,
    as_json: AsJson = False,
) -> None:
    """Watch everything: rate, ETA, quota, queues, memory, texts, money, alerts.

    Queues: by the management API at port 15672 of SIRENADE_BROKER_URL
    (SIRENADE_MONITOR_RABBITMQ_URL where it is elsewhere), else over AMQP.

    Memory and alerts: from Prometheus, at SIRENADE_MONITOR_PROMETHEUS_URL.
    Without it memory is that of this database's services on this machine,
    in containers or not (by /proc), and alerts are what the databases and
    queues can tell.

    Ends after --duration, or with Ctrl-C, with a summary. A server that is
    away is said, and asked again. --json prints a line for each look, and
    one for the summary.
    """
    settings, clock = monitor_settings(), Clock()
    signal.signal(signal.SIGINT, lambda *_: clock.stopping.set())
    # It logs each attempt to reach a broker that is away.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    engines = open_engines(statement_timeout_seconds=_STATEMENT_TIMEOUT_SECONDS)
    with connected(engines) as (control, *_):
        if run is not None and not run_exists(control, run):
            raise UserError(f"there is no run {run}")
    watcher = Monitor(Reader(engines, run), outside_of(settings), clock)

    def is_over(watcher: Monitor) -> bool:
        return until_done and watcher.last is not None and watcher.last.is_idle

    _show(
        watcher,
        until=is_over,
        ends_seconds=clock.monotonic_seconds() + duration,
        interval_seconds=interval,
        as_json=as_json,
    )
    if as_json:
        print_json(watcher.summary.tell())
    else:
        print_summary(watcher.summary)


def _show(
    monitor: Monitor,
    *,
    until: Callable[[Monitor], bool],
    ends_seconds: float,
    interval_seconds: float,
    as_json: bool,
) -> None:
    console = Console(stderr=True)
    width = panel_width(console, view.MAX_WIDTH)

    def read() -> Monitor:
        monitor.look()
        return monitor

    watch(
        read,
        partial(_draw, width=width),
        _line,
        until,
        clock=monitor.clock,
        console=console,
        every_seconds=interval_seconds,
        line_every_seconds=_LINE_EVERY_SECONDS,
        is_urgent=lambda monitor: monitor.turned,
        ends_seconds=ends_seconds,
        write=_print_json if as_json else None,
    )


def _draw(monitor: Monitor, *, width: int) -> RenderableType:
    if monitor.told is None:
        return monitor.away or ""
    title = f"Sirenade monitor · {duration(monitor.summary.seconds)}"
    return view.draw(monitor.told, title=title, width=width, away=monitor.away)


def _line(monitor: Monitor) -> str:
    if monitor.away is not None:
        return monitor.away
    assert monitor.told is not None
    return view.one_line(monitor.told)


def _print_json(monitor: Monitor) -> None:
    if monitor.away is not None:
        now = monitor.clock.now().isoformat()
        print_json({"event": "away", "at": now, "database": monitor.away})
    else:
        print_json(monitor.told)


def print_summary(summary: Summary) -> None:
    told = summary.tell()
    memory = told["greatest_rss_bytes"]
    mean = told["rows_per_second"]
    print_fields(
        "Sirenade monitor: what was seen",
        {
            "time": duration(summary.seconds),
            "rows": thousands(told["rows"]),
            "mean rate": "?" if mean is None else f"{mean:.1f}/s",
            "429": thousands(told["http_429"]),
            "texts": thousands(told["texts"]),
            "spent": cents(told["spent_eur"]),
            "failed items open": thousands(told["failed_items_open"]),
            "greatest memory": " · ".join(f"{name} {mib(size)}" for name, size in memory.items())
            or None,
        },
    )
