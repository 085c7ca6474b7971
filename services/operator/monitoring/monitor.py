"""Looks at everything, one after the other, which go on while a server is away."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.operator.monitoring.outside import Prometheus, Unanswered, memory_here
from services.operator.monitoring.queues import QueueReader
from services.operator.monitoring.readings import Reader
from services.operator.monitoring.recorder import Outside, Recorder, Summary
from services.operator.monitoring.snapshot import Snapshot
from services.operator.settings import MonitorSettings
from shared.clock import Clock
from shared.db.outages import is_passing


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


def outside_of(settings: MonitorSettings) -> Callable[[], Outside]:
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
