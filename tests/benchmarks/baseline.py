"""What the server itself needs for the same rows: COPY from files, with the same indexes."""

import statistics
import time
from pathlib import Path

from tests.integration.writer.conftest import Desk

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


def copy_seconds(desk: Desk) -> dict[str, float]:
    """Seconds by table for the rows that are stored now; the median of some rounds."""
    directory = Path(desk.one("SELECT current_setting('data_directory') AS path")["path"])
    return {table: _copy_seconds(desk, table, directory / f"baseline-{table}") for table in TABLES}


def _copy_seconds(desk: Desk, table: str, file: Path) -> float:
    copy = f"baseline_{table}"
    desk.execute(f"COPY {table} TO '{file}'")
    desk.execute(f"CREATE TABLE {copy} (LIKE {table} INCLUDING ALL EXCLUDING IDENTITY)")
    seconds = []
    for _ in range(_ROUNDS):
        desk.execute(f"TRUNCATE {copy}")
        started = time.perf_counter()
        desk.execute(f"COPY {copy} FROM '{file}'")
        seconds.append(time.perf_counter() - started)
    desk.execute(f"DROP TABLE {copy}")
    return statistics.median(seconds)
