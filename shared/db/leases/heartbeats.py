"""The heartbeats of services: rows by which a person learns that a service is not running.

Each process writes its own row four times a minute, and takes it away when it stops in good order.
A row that is not renewed is that of a process that was killed or stands still.
"""

import os
import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, text

INTERVAL_SECONDS = 15.0
SILENCE_SECONDS = 120.0
"""A process without a beat for so long does not run."""

# A beat of a day ago is no news.
_BEAT = text("""
    WITH old AS (
      DELETE FROM service_heartbeats WHERE beat_at < now() - interval '1 day')
    INSERT INTO service_heartbeats (service, instance, version, started_at)
    VALUES (:service, :instance, :version, now())
    ON CONFLICT (service, instance) DO UPDATE SET beat_at = now()
""")
_END = text("""
    DELETE FROM service_heartbeats WHERE service = :service AND instance = :instance
""")
_LAST = text("""
    SELECT service, extract(epoch FROM now() - max(beat_at))::float FROM service_heartbeats
    GROUP BY service
""")
_READ = text("""
    SELECT service, instance, version, started_at, beat_at,
      extract(epoch FROM now() - beat_at)::float AS silent_seconds
    FROM service_heartbeats ORDER BY service, started_at, instance
""")


@dataclass(frozen=True)
class Heartbeat:
    """The row of one service in this process."""

    engine: Engine
    service: str
    version: str

    def beat(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(_BEAT, self._own() | {"version": self.version})

    def end(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(_END, self._own())

    def _own(self) -> dict[str, str]:
        return {"service": self.service, "instance": f"{socket.gethostname()}:{os.getpid()}"}


@dataclass(frozen=True)
class RunningProcess:
    """A process as its heartbeat shows it."""

    service: str
    instance: str
    version: str
    started_at: datetime
    beat_at: datetime
    silent_seconds: float

    @property
    def runs(self) -> bool:
        return self.silent_seconds <= SILENCE_SECONDS


def read_processes(connection: Connection) -> list[RunningProcess]:
    """Return the processes of the last day that did not stop in good order."""
    return [RunningProcess(**row) for row in connection.execute(_READ).mappings()]


def find_silent(connection: Connection, services: Collection[str]) -> list[str]:
    """Say of each of these services that does not run how it is started; nothing where all run."""
    last = {row[0]: float(row[1]) for row in connection.execute(_LAST)}
    return list(_sentences(services, last))


def _sentences(services: Iterable[str], last: dict[str, float]) -> Iterable[str]:
    for service in services:
        silent_seconds = last.get(service)
        if silent_seconds is not None and silent_seconds <= SILENCE_SECONDS:
            continue
        since = "" if silent_seconds is None else f" for {timedelta(seconds=round(silent_seconds))}"
        yield (
            f"no {service} has been seen{since}: start one with "
            f".venv/bin/python -m services.{service} run"
        )
