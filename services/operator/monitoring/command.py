"""`./sirenade monitor`: looks, draws, and goes on while a server is away."""

import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
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
from shared.terminal.words import cents, duration, mib, thousands

_STATEMENT_TIMEOUT_SECONDS = 10
# Where nobody watches, a line as often as that, and no oftener than it looks.
_LINE_EVERY_SECONDS = 60.0


@dataclass
class Monitor:
    """Looks at everything; `away` is since when and why the database does not answer."""

    reader: Reader
    look_outside: Callable[[], Outside]
    clock: Clock
    summary: Summary = field(default_factory=Summary)
    teller: Teller = field(default_factory=Teller)
    last: Reading | None = None
    told: Told | None = None
    away: str | None = None

    def look(self) -> None:
        """Raises what the database says of a statement that it refuses."""
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
    ends_seconds = clock.monotonic_seconds() + duration

    def over() -> bool:
        done = until_done and watcher.last is not None and watcher.last.is_idle
        return done or clock.stopping.is_set() or clock.monotonic_seconds() >= ends_seconds

    def wait(since_seconds: float) -> None:
        now_seconds = clock.monotonic_seconds()
        clock.wait(min(since_seconds + interval, ends_seconds) - now_seconds)

    _show(watcher, over=over, wait=wait, as_json=as_json)
    if as_json:
        print_json(watcher.summary.tell())
    else:
        print_summary(watcher.summary)


def _show(
    watcher: Monitor, *, over: Callable[[], bool], wait: Callable[[float], None], as_json: bool
) -> None:
    console = Console(stderr=True)
    if as_json or not console.is_terminal:
        tell = _print_json if as_json else _MinuteLog(console, watcher.clock)
        _turn(watcher, tell=tell, over=over, wait=wait)
        return
    width = min(console.width - 2, view.MAX_WIDTH)
    with Live(console=console, auto_refresh=False) as live:

        def draw(watcher: Monitor) -> None:
            if watcher.told is not None:
                title = f"Sirenade monitor · {duration(watcher.summary.seconds)}"
                panel = view.draw(watcher.told, title=title, width=width, away=watcher.away)
                live.update(panel, refresh=True)
            elif watcher.away is not None:
                live.update(watcher.away, refresh=True)

        _turn(watcher, tell=draw, over=over, wait=wait)


def _turn(
    watcher: Monitor,
    *,
    tell: Callable[[Monitor], None],
    over: Callable[[], bool],
    wait: Callable[[float], None],
) -> None:
    while True:
        since_seconds = watcher.clock.monotonic_seconds()
        watcher.look()
        tell(watcher)
        if over():
            return
        wait(since_seconds)
        if watcher.clock.stopping.is_set():
            return


def _print_json(watcher: Monitor) -> None:
    if watcher.away is not None:
        now = watcher.clock.now().isoformat()
        print_json({"event": "away", "at": now, "database": watcher.away})
    else:
        print_json(watcher.told)


@dataclass
class _MinuteLog:
    """A line a minute, and at once when the database goes away or comes back."""

    console: Console
    clock: Clock
    _due_seconds: float = 0.0
    _away: str | None = None

    def __call__(self, watcher: Monitor) -> None:
        now_seconds = self.clock.monotonic_seconds()
        if now_seconds < self._due_seconds and watcher.away == self._away:
            return
        self._due_seconds, self._away = now_seconds + _LINE_EVERY_SECONDS, watcher.away
        if watcher.away is not None:
            line = watcher.away
        else:
            assert watcher.told is not None
            line = view.one_line(watcher.told)
        self.console.print(line, soft_wrap=True, highlight=False, markup=False)


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
