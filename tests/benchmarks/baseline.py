"""What the server itself needs for the same rows: COPY from files, with the same indexes."""

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, text

from tests.benchmarks.writing import cpu_seconds
from tests.integration.writer.desk import Desk

TABLES = (
    "unites_legales",
    "etablissements",
    "periodes_etablissements",
    "pro_localisations",
    "avis",
    "slice_receipts",
)
"""Every table to which a slice of new establishments adds rows."""
_ROUNDS = 3


@dataclass(frozen=True)
class Copy:
    """Seconds by table for the rows that are stored, and the backend's CPU for all of them."""

    seconds_by_table: Mapping[str, float] = field(default_factory=dict)
    cpu_seconds: float = 0.0

    @property
    def seconds(self) -> float:
        return sum(self.seconds_by_table.values())


def copy(desk: Desk) -> Copy:
    """The median of some rounds for each table, and their mean CPU, which has coarse ticks."""
    directory = Path(desk.one("SELECT current_setting('data_directory') AS path")["path"])
    seconds, cpu = {}, 0.0
    with desk.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        for table in TABLES:
            _prepare(connection, table, directory / f"baseline-{table}")
            before = cpu_seconds(backend)
            seconds[table] = statistics.median(_rounds(connection, table, directory))
            cpu += (cpu_seconds(backend) - before) / _ROUNDS
            connection.execute(text(f"DROP TABLE baseline_{table}"))
    return Copy(seconds, cpu)


def _prepare(connection: Connection, table: str, file: Path) -> None:
    connection.execute(text(f"COPY {table} TO '{file}'"))
    connection.execute(
        text(f"CREATE TABLE baseline_{table} (LIKE {table} INCLUDING ALL EXCLUDING IDENTITY)")
    )


def _rounds(connection: Connection, table: str, directory: Path) -> list[float]:
    seconds = []
    for _ in range(_ROUNDS):
        connection.execute(text(f"TRUNCATE baseline_{table}"))
        started = time.perf_counter()
        connection.execute(text(f"COPY baseline_{table} FROM '{directory}/baseline-{table}'"))
        seconds.append(time.perf_counter() - started)
    return seconds
