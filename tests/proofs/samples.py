"""Samples from outside: PostgreSQL, RabbitMQ, the processes and the log files."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import requests
from sqlalchemy import text

from shared.imports.eta import eta_of_rows
from shared.imports.pace import Rate
from shared.imports.progress import Progress, read_progress
from tests.proofs.process_usage import ProcessUsage, UsageMeter
from tests.proofs.stack import Stack

_SERVER = text("""
    SELECT pg_database_size(current_database()) AS database_bytes,
      (SELECT count(*) FROM pg_stat_activity
       WHERE application_name IN ('sirenade-fetcher', 'sirenade-writer', 'sirenade-reviewer')
         OR application_name = 'sirenade-meter') AS connections
""")
# The key is the SIRET: no row is there twice.
_ROWS = text("SELECT count(*) FROM etablissements")
_COUNT_EVERY_SECONDS = 10.0


@dataclass(frozen=True)
class Sample:
    """One reading; `processes` are the services by name, `servers` PostgreSQL and the like.

    `stored` comes from the counters, `rows` from a count of the table every ten seconds.
    `eta_seconds` is None while nothing moves.
    """

    at_seconds: float
    expected: int | None
    received: int
    stored: int
    rows: int
    requests: int
    requests_last_minute: int
    http_429: int
    failed_items: int
    avis: dict[str, int]
    avis_due: int
    database_bytes: int
    connections: int
    log_bytes: int
    queues: dict[str, int]
    processes: dict[str, ProcessUsage]
    servers: dict[str, ProcessUsage]
    eta_seconds: float | None


@dataclass
class Sampler:
    """Takes samples; `logs` is the folder whose size counts."""

    stack: Stack
    logs: Path
    samples: list[Sample] = field(default_factory=list)
    _rows: int = 0
    _count_due: float = 0.0
    _begun: float = field(default_factory=time.monotonic)
    _rate: Rate = field(default_factory=Rate)
    _meter: UsageMeter = field(default_factory=UsageMeter)

    def take(self) -> Progress:
        """Read all sources once, and return the progress in the database."""
        with self.stack.engine.connect() as connection:
            progress = read_progress(connection)
            server = connection.execute(_SERVER).one()
            now = time.monotonic() - self._begun
            if now >= self._count_due:
                self._rows = connection.execute(_ROWS).scalar_one()
                self._count_due = now + _COUNT_EVERY_SECONDS
        if progress.resting_until is not None:
            self._rate = Rate()  # a rest has no pace
        self._rate.add(progress.at.timestamp(), progress.received)
        eta = eta_of_rows(progress, self._rate)
        try:
            queues = self.stack.rabbitmq.admin.depths()
        except requests.RequestException:
            queues = {}  # a broker that is down has no depths; the run itself shows the effect
        self.samples.append(
            Sample(
                at_seconds=round(now, 2),
                expected=progress.expected,
                received=progress.received,
                stored=progress.inserted + progress.updated + progress.unchanged,
                rows=self._rows,
                requests=progress.requests,
                requests_last_minute=progress.requests_last_minute,
                http_429=progress.http_429,
                failed_items=progress.failed_items,
                avis=dict(progress.avis),
                avis_due=progress.avis_due,
                database_bytes=server.database_bytes,
                connections=server.connections,
                log_bytes=sum(path.stat().st_size for path in self.logs.iterdir()),
                queues=queues,
                processes=self._meter.read(self.stack.pids),
                servers=self._meter.read_families(self.stack.server_pids),
                eta_seconds=None if eta is None else eta.seconds,
            )
        )
        return progress
