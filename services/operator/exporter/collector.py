"""Collectors of PostgreSQL's totals, seldom and silent rather than wrong, and of the log files."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine, TextClause
from sqlalchemy.exc import SQLAlchemyError

from services.operator.exporter import families, queries
from services.operator.exporter.families import Family, Value, added
from shared.logs import name_of

log = structlog.get_logger()

# Several Prometheus servers, or a person who reloads the page, share one reading.
_KEPT_SECONDS = 5.0
_WHOLE_KEPT_SECONDS = 30.0
# A slow reading is so seldom that it takes a twentieth of a connection's time.
_KEPT_PER_SECOND_OF_READING = 20
_OF_READINGS = (
    ("sirenade_exporter_up", "1 while what is read from PostgreSQL could be read."),
    ("sirenade_exporter_read_seconds", "Duration of the last reading."),
)


@dataclass
class _Reading:
    """Families that are read together: all of them are shown, or none."""

    name: str
    families: Sequence[Family]
    of_control: TextClause | None
    of_shard: TextClause
    kept_seconds: float
    metrics: list[GaugeMetricFamily] | None = None
    took_seconds: float = 0.0
    good_until: float = -1.0


class DatabaseCollector(Collector):
    """Collects the totals of the control database and of all shards, which may include it.

    Statement timeouts must be below the scrape's timeout. While a database does not answer, the
    families of its reading are absent and sirenade_exporter_up is 0.
    """

    def __init__(self, control: Engine, shards: Sequence[Engine]) -> None:
        self._control = control
        self._shards = shards
        self._lock = threading.Lock()
        self._readings = (
            _Reading("work", families.WORK, queries.CONTROL, queries.SHARD, _KEPT_SECONDS),
            _Reading("whole", families.WHOLE, None, queries.WHOLE, _WHOLE_KEPT_SECONDS),
        )

    def collect(self) -> Iterator[GaugeMetricFamily]:
        up, took = (GaugeMetricFamily(*told, labels=["reading"]) for told in _OF_READINGS)
        with self._lock:
            for reading in self._readings:
                if time.monotonic() >= reading.good_until:
                    self._renew(reading)
                up.add_metric([reading.name], int(reading.metrics is not None))
                took.add_metric([reading.name], reading.took_seconds)
                yield from reading.metrics or ()
        yield from (up, took)

    def _renew(self, reading: _Reading) -> None:
        started_seconds = time.monotonic()
        try:
            values = self._read(reading)
        except SQLAlchemyError as error:
            if reading.metrics is not None or reading.good_until < 0:
                log.warning("totals not read", reading=reading.name, error=name_of(error))
            reading.metrics = None
        else:
            reading.metrics = [
                family.as_metric(values.get(family.name)) for family in reading.families
            ]
        now_seconds = time.monotonic()
        reading.took_seconds = now_seconds - started_seconds
        reading.good_until = now_seconds + max(
            reading.kept_seconds if reading.metrics is not None else _KEPT_SECONDS,
            _KEPT_PER_SECOND_OF_READING * reading.took_seconds,
        )

    def _read(self, reading: _Reading) -> dict[str, Value]:
        values: dict[str, Value] = {}
        least = {family.name for family in reading.families if family.least}
        if reading.of_control is not None:
            values |= _query(self._control, reading.of_control)
        for shard in self._shards:
            for name, value in _query(shard, reading.of_shard).items():
                values[name] = added(values.get(name), value, least=name in least)
        return values


def _query(engine: Engine, statement: TextClause) -> dict[str, Any]:
    with engine.connect() as connection:
        found: dict[str, Any] = connection.execute(statement).scalar_one()
    return found


class LogSizeCollector(Collector):
    """Shows the size of a folder; a folder that does not exist has no size."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if self._directory.is_dir():
            yield GaugeMetricFamily(
                "sirenade_log_bytes",
                "Size of the log files that are kept.",
                value=sum(_size_bytes(path) for path in self._directory.rglob("*")),
            )


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:  # the file was rotated or archived meanwhile
        return 0
