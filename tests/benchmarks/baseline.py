"""Times of the server itself for the same rows: COPY from files, with the same indexes."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, text

from tests.benchmarks.writer_runs import cpu_seconds
from tests.integration.writer.desk import Desk

TABLES = (
    "unites_legales",
    "etablissements",
    "trade_count_changes",
    "periodes_etablissements",
    "pro_localisations",
    "page_changes",
    "avis",
    "slice_receipts",
)
"""Every table to which a slice of new establishments adds rows."""
_ROUNDS = 3


@dataclass(frozen=True)
class Copy:
    """Seconds by table for the rows that are stored, and the backend's CPU for all of them.

    `seconds_in_slices`: for all tables, cut into slices, each a transaction. It is the limit of
    whoever commits as often, whatever he does before.
    """

    seconds_by_table: Mapping[str, float] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    seconds_in_slices: float = 0.0

    @property
    def seconds(self) -> float:
        return sum(self.seconds_by_table.values())


def copy(desk: Desk, *, slices: int) -> Copy:
    """The median of some rounds for each table, and their mean CPU, which has coarse ticks."""
    directory = Path(desk.one("SELECT current_setting('data_directory') AS path")["path"])
    seconds, cpu = {}, 0.0
    with desk.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        for table in TABLES:
            _prepare(connection, table, directory, slices)
            before = cpu_seconds(backend)
            whole = f"COPY baseline_{table} FROM '{directory}/baseline-{table}'"
            seconds[table] = _median(connection, [table], [whole])
            cpu += (cpu_seconds(backend) - before) / _ROUNDS
        in_slices = _median(
            connection, TABLES, [_transaction(directory, number) for number in range(slices)]
        )
        for table in TABLES:
            connection.execute(text(f"DROP TABLE baseline_{table}"))
    return Copy(seconds, cpu, in_slices)


def _prepare(connection: Connection, table: str, directory: Path, slices: int) -> None:
    file = f"{directory}/baseline-{table}"
    connection.execute(text(f"COPY {table} TO '{file}'"))
    connection.execute(text(f"COPY (SELECT WHERE false) TO PROGRAM 'rm -f {file}.*'"))
    cut = f"split --number=l/{slices} --numeric-suffixes --suffix-length=4 {file} {file}."
    connection.execute(text(f"COPY (SELECT WHERE false) TO PROGRAM '{cut}'"))
    connection.execute(
        text(f"CREATE TABLE baseline_{table} (LIKE {table} INCLUDING ALL EXCLUDING IDENTITY)")
    )


def _transaction(directory: Path, number: int) -> str:
    """One round trip: the server waits for nobody."""
    copies = (f"COPY baseline_{t} FROM '{directory}/baseline-{t}.{number:04}'" for t in TABLES)
    return "; ".join(["BEGIN", *copies, "COMMIT"])


def _median(connection: Connection, tables: Sequence[str], statements: Sequence[str]) -> float:
    seconds = []
    for _ in range(_ROUNDS):
        for table in tables:
            connection.execute(text(f"TRUNCATE baseline_{table}"))
        started = time.perf_counter()
        for statement in statements:
            connection.exec_driver_sql(statement)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)
