"""A fresh load of a stock file, against the server's own COPY of the same file, in one run.

SIRENADE_BENCHMARK_STOCK_ROWS says how many rows, 200 000 by default, and
SIRENADE_BENCHMARK_PAGES_ROWS of how many the pages are made.
"""

import csv
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from deploy.local.postgres import RunningPostgres
from services.simulator.options import SimulatorOptions
from services.simulator.register.stock_files import write_stock
from services.writer.stock import command
from services.writer.stock.columns import layout_of
from services.writer.stock.loader import StockOptions
from shared.db.engine import make_engine
from tests.benchmarks.figures import Figures
from tests.benchmarks.sizes import pick

_ROWS = int(
    os.environ.get(
        "SIRENADE_BENCHMARK_STOCK_ROWS", pick(quick="40000", normal="200000", full="1000000")
    )
)
_PAGES_ROWS = int(
    os.environ.get(
        "SIRENADE_BENCHMARK_PAGES_ROWS", pick(quick="20000", normal="200000", full="2000000")
    )
)
_DISTINCT = 20_000
# INSEE's file has this many, of which some 17 million are open: three eighths. The simulator opens
# seven tenths.
_WHOLE_REGISTER = 43_900_000
_LEFT_OPEN = Fraction(3, 8) / Fraction(7, 10)
_ROUNDS = pick(quick=1, normal=3)
_ROOT = Path(__file__).parents[2]
# In a process of its own: what it took at most is then its own (ru_maxrss begins with ours).
_LOAD = """
import json, resource, sys, time
from pathlib import Path
from services.writer.stock import command
from services.writer.stock.loader import StockOptions
begun = time.perf_counter()
command.load(sys.argv[1], sys.argv[2:], command.StockOptions(pages=False))
usage = resource.getrusage(resource.RUSAGE_SELF)
peak_kib = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
print(json.dumps({"seconds": time.perf_counter() - begun, "rss_mib": peak_kib / 1024,
    "cpu_seconds": usage.ru_utime + usage.ru_stime}))
"""


_BARE = """
    DROP TABLE IF EXISTS bare;
    CREATE TABLE bare (LIKE etablissements INCLUDING ALL EXCLUDING INDEXES)
      WITH (fillfactor = 85, autovacuum_enabled = false);
    ALTER TABLE bare ALTER content_hash SET DEFAULT '', ALTER fetched_at SET DEFAULT now(),
      ALTER coordonnee_lambert_abscisse TYPE text, ALTER coordonnee_lambert_ordonnee TYPE text;
    CHECKPOINT
"""


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as lines:
        return next(csv.reader(lines))


def _copy_by_the_server(engine: Engine, path: Path) -> tuple[float, float]:
    """Seconds of COPY into a bare twin of the table, and of the same indexes built afterwards.

    Its coordinates are texts: COPY takes either empty values or `[ND]` for NULL, not both.
    """
    ours = {theirs: name for name, theirs in layout_of(_header(path)).columns.items()}
    columns = ", ".join(ours[name] for name in _header(path))
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    with autocommit.connect() as connection:
        for statement in _BARE.split(";"):
            connection.execute(text(statement))
        indexes = connection.execute(
            text("SELECT indexdef FROM pg_indexes WHERE tablename = 'etablissements'")
        ).scalars()
        definitions = [
            re.sub(r" INDEX (\S+) ON \S+ ", r" INDEX bare_\1 ON bare ", index) for index in indexes
        ]
        begun = time.perf_counter()
        connection.execute(text(f"COPY bare ({columns}) FROM '{path}' (FORMAT csv, HEADER)"))
        copied = time.perf_counter()
        for definition in definitions:
            connection.execute(text(definition))
        indexed = time.perf_counter()
        connection.execute(text("DROP TABLE bare"))
        return copied - begun, indexed - copied


def _copy_pages_by_the_server(engine: Engine) -> float:
    """Seconds of COPY of the stored pages and avis into twins of their tables, with the indexes."""
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    seconds = 0.0
    with autocommit.connect() as connection:
        directory = connection.scalar(text("SELECT current_setting('data_directory')"))
        for table in ("pro_localisations", "avis"):
            file = f"{directory}/benchmark-{table}"
            for statement in (
                f"COPY {table} TO '{file}'",
                f"CREATE TABLE bare (LIKE {table} INCLUDING ALL EXCLUDING IDENTITY)",
                "CHECKPOINT",
            ):
                connection.execute(text(statement))
            begun = time.perf_counter()
            connection.execute(text(f"COPY bare FROM '{file}'"))
            seconds += time.perf_counter() - begun
            connection.execute(text("DROP TABLE bare"))
            connection.execute(text(f"COPY (SELECT WHERE false) TO PROGRAM 'rm {file}'"))
    return seconds


def _close_as_many_as_insee(path: Path) -> float:
    """Close establishments of the file until as few are open as in INSEE's; return their share."""
    rows = kept = found_open = 0
    written = path.with_suffix(".closed")
    with (
        path.open(encoding="utf-8", newline="") as lines,
        written.open("w", encoding="utf-8", newline="") as closed,
    ):
        writer = csv.writer(closed)
        reader = csv.reader(lines)
        header = next(reader)
        writer.writerow(header)
        etat = header.index("etatAdministratifEtablissement")
        for row in reader:
            rows += 1
            if row[etat] == "A":
                found_open += 1
                if found_open * _LEFT_OPEN > kept:
                    kept += 1
                else:
                    row[etat] = "F"
            writer.writerow(row)
    written.replace(path)
    return kept / rows


def _cpu_seconds() -> float:
    """CPU of this process, and of those that it started and that have ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _load(url: str, path: Path) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-c", _LOAD, url, str(path)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    measured: dict[str, Any] = json.loads(ended.stdout)
    return measured


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_fresh_load_against_the_servers_own_copy_and_indexes(
    database_url: str, postgres: RunningPostgres, figures: Figures
) -> None:
    engine = make_engine(database_url, application_name="benchmark", statement_timeout_seconds=0)
    # The server reads it itself, as whoever it runs as.
    folder = postgres.directory / "data" / "benchmark"
    folder.mkdir()
    folder.chmod(0o755)
    made = write_stock(
        folder, SimulatorOptions(establishments=_ROWS), format_="csv", distinct=_DISTINCT
    )
    path = made["siret"].path
    path.chmod(0o644)
    ratios, loads = [], []
    for _ in range(_ROUNDS):
        copied, indexed = _copy_by_the_server(engine, path)
        loaded = _load(database_url, path)
        loads.append(loaded)
        ratios.append((copied + indexed) / loaded["seconds"])
        print(  # noqa: T201  a benchmark's result
            f"\n{_ROWS} rows; rows/s: COPY {_ROWS / copied:.0f}, with indexes"
            f" {_ROWS / (copied + indexed):.0f}; load {_ROWS / loaded['seconds']:.0f}"
            f" ({ratios[-1]:.2f} of it), {loaded['cpu_seconds'] / _ROWS * 1e6:.1f} µs CPU a row,"
            f" {loaded['rss_mib']:.0f} MiB at most"
        )
        with engine.begin() as connection:
            # Else the same command would only look for pages that are still to come.
            connection.execute(text("UPDATE stock_loads SET status = 'complete'"))
        again = _load(database_url, path)
        print(f"the same file again, merged: {_ROWS / again['seconds']:.0f} rows/s")  # noqa: T201  as above
        with engine.begin() as connection:
            found = connection.execute(text("SELECT count(*) FROM etablissements")).scalar_one()
            assert found == _ROWS
            connection.execute(
                text("TRUNCATE etablissements, stock_loads, stock_chunks, watermarks")
            )
    ratio = statistics.median(ratios)
    print(f"median {ratio:.2f}")  # noqa: T201  a benchmark's result
    rows_per_second = statistics.median(_ROWS / each["seconds"] for each in loads)
    cpu_us = statistics.median(each["cpu_seconds"] for each in loads) / _ROWS * 1e6
    figures.add(
        "stock.load",
        ratio,
        unit="of COPY + indexes",
        goal=">= 0.60",
        note=f"{_ROWS} rows, {rows_per_second:.0f} rows/s",
    )
    figures.add("stock.load, CPU of our process", cpu_us, unit="CPU µs/row")
    figures.add("stock.RSS at most", max(each["rss_mib"] for each in loads), unit="MiB")
    engine.dispose()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_rate_of_pages_after_a_load(
    database_url: str, tmp_path: Path, figures: Figures
) -> None:
    options = SimulatorOptions(establishments=_PAGES_ROWS)
    made = write_stock(tmp_path, options, distinct=_DISTINCT)
    share = _close_as_many_as_insee(made["siret"].path)
    paths = [str(file.path) for file in made.values()]
    begun = time.perf_counter()
    command.load(database_url, paths, StockOptions(pages=False))
    loaded, cpu_seconds = time.perf_counter(), _cpu_seconds()
    loads = command.load(database_url, paths, StockOptions())
    ended, cpu_seconds = time.perf_counter(), _cpu_seconds() - cpu_seconds
    rate = _PAGES_ROWS / (ended - loaded)
    hours = (ended - begun) / _PAGES_ROWS * _WHOLE_REGISTER / 3600
    note = (
        f"{_PAGES_ROWS} establishments, {share:.1%} open; load and pages of"
        f" {_WHOLE_REGISTER / 1e6:.1f} M would take {hours:.2f} h"
    )
    print(f"\npages: {rate:.0f} establishments/s; {note}")  # noqa: T201  a benchmark's result
    figures.add("stock.pages afterwards", rate, unit="rows/s", goal=">= 15000", note=note)
    engine = make_engine(database_url, application_name="benchmark", statement_timeout_seconds=0)
    copied = _PAGES_ROWS / _copy_pages_by_the_server(engine)
    engine.dispose()
    cpu_us = cpu_seconds / _PAGES_ROWS * 1e6
    print(f"{rate / copied:.2f} of COPY with indexes, {cpu_us:.1f} µs CPU a row")  # noqa: T201  as above
    figures.add(
        "stock.pages, of COPY",
        rate / copied,
        unit="of COPY + indexes",
        goal=">= 0.15",
        note=f"COPY of their pages and avis by one session: {copied:.0f} establishments/s",
    )
    figures.add("stock.pages, CPU of our processes", cpu_us, unit="CPU µs/row")
    assert {load.status for load in loads} == {"complete"}
