"""`./sirenade monitor`, which goes on while a server is away, and `status`."""

import logging
import signal
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Annotated

import typer
from rich.console import RenderableType
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.operator.connections import open_engines
from services.operator.monitoring import view
from services.operator.monitoring.outside import Prometheus, Unanswered, memory_here
from services.operator.monitoring.queues import QueueReader
from services.operator.monitoring.readings import Reader
from services.operator.monitoring.recorder import Outside, Recorder, Summary
from services.operator.monitoring.snapshot import Snapshot
from services.operator.output import print_fields
from services.operator.settings import MonitorSettings
from shared.clock import Clock
from shared.db.outages import is_passing
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
    recorder: Recorder = field(default_factory=Recorder)
    snapshot: Snapshot | None = None
    away: str | None = None
    turned: bool = False

    def look(self) -> "Monitor":
        """Read all sources once. Raises DBAPIError where the database refuses a statement."""
        was_away = self.away is not None
        outside = self.look_outside()
        try:
            reading = self.reader.read()
        except (DBAPIError, PoolTimeoutError) as error:
            if not is_passing(error):
                raise
            if self.away is None:
                now = self.clock.now().astimezone()
                self.away = f"the database does not answer since {now:%H:%M:%S}: asked again"
            if self.snapshot is not None:
                self.snapshot = replace(self.snapshot, **outside.in_snapshot())
        else:
            self.away = None
            self.snapshot = self.recorder.record(reading, outside)
            self.summary.add(reading, outside.memory)
        self.turned = was_away != (self.away is not None)
        return self

    @property
    def is_idle(self) -> bool:
        if self.snapshot is None:
            return False
        avis = self.snapshot.avis
        return self.snapshot.runs_open == 0 and avis.pending == avis.renewals_at_a_rate


def _outside_of(settings: MonitorSettings) -> Callable[[], Outside]:
    """Return the look at RabbitMQ, and at Prometheus or this machine's processes."""
    broker_url, egress = settings.broker_url.get_secret_value(), settings.egress
    queues = QueueReader(broker_url, settings.monitor_rabbitmq_url.rstrip("/"), egress)
    prometheus_url = settings.monitor_prometheus_url.rstrip("/")
    prometheus = Prometheus(prometheus_url, egress)
    database_url = settings.database_url.get_secret_value()

    def look() -> Outside:
        note = None
        if prometheus_url:
            try:
                return Outside(queues.read(), prometheus.memory(), prometheus.alerts())
            except Unanswered as error:
                note = f"Prometheus does not answer ({error}): memory is this machine's"
        return Outside(queues.read(), memory_here(database_url), None, note)

    return look


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
        Monitor(Reader(engines, run), _outside_of(settings), clock).look,
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

    Renewals that are held, or begin at a rate, are said and not waited for.
    """
    clock = Clock()
    engines = _open(run, clock)

    def read() -> Progress:
        with connected(engines) as (control, *shards):
            return read_progress(control, run, shards=shards)

    watch_progress(
        read, title="Sirenade", until=lambda progress: once or progress.is_idle, clock=clock
    )


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
