"""`stats` answers fast at two million items while two writers work."""

import datetime as dt
import itertools
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest
from sqlalchemy import Engine, text

from services.operator.numbers.stats import read_stats
from shared.db.engine import make_engine
from tests.benchmarks.figures import Figures
from tests.benchmarks.sizes import pick
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records

ITEMS = pick(quick=200_000, normal=2_000_000)
CALLS = pick(quick=100, normal=500)
WRITERS = 2
# The public quota brings 30 pages of 1 000 rows a minute; the other pace never waits.
PACES_ROWS_PER_SECOND = (500, 1_000_000)
_ROWS_PER_SLICE = 200
# One item in a thousand failed, half of them written since.
FAILED = ITEMS // 1000
USUAL_BATCHES = 2000
# A month at the public quota.
REQUESTS = 30 * 60 * 24 * 30

_ROWS = """
    INSERT INTO etablissements (siret, siren, nic, statut_diffusion, etat_administratif,
      code_commune, departement, region, content_hash, fetched_at)
    SELECT lpad(n::text, 9, '0') || '00001', lpad(n::text, 9, '0'), '00001', 'O', 'A',
      '33063', '33', '75', decode(md5(n::text), 'hex'), now()
    FROM generate_series(1, :items) AS n
"""
_RUNS = "INSERT INTO import_runs (status, completed_at) VALUES ('complete', now())"
_BATCHES = """
    INSERT INTO import_batches (run_id, number, query, departement, status, expected, received,
      inserted, failed, received_distinct, stored, missing_sirets, surplus_sirets, completed_at)
    SELECT 1, n, 'codeCommuneEtablissement:33*', '33', 'complete', s.size, s.size,
      s.size, 0, s.size, s.size, '{}', '{}', now()
    FROM generate_series(1, :batches) AS n, (SELECT :items / :batches AS size) s
"""
_PAGES = """
    INSERT INTO import_pages (batch_id, number, cursor, fetch_id, records, is_last,
      slices_expected, slices_done)
    SELECT id, 1, '*', id, received, true, 1, 1 FROM import_batches
"""
_FAILED = """
    INSERT INTO failed_items (kind, key, siren, batch_id, payload, code, message, resolved_at)
    SELECT 'write', lpad(n::text, 14, '0'), lpad(n::text, 9, '0'), 1, decode(repeat('ab', 500),
      'hex'), 'sqlstate_22001', 'PostgreSQL refused the row', CASE WHEN n % 2 = 0 THEN now() END
    FROM generate_series(1, :failed) AS n
"""
_REQUESTS = """
    INSERT INTO insee_requests (key_fingerprint, batch_id, page, granted_at, http_status, records)
    SELECT 'key', 1, n, now() - make_interval(secs => 2 * (:requests - n)), 200, 1000
    FROM generate_series(1, :requests) AS n
"""


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("batches", [USUAL_BATCHES, 10 * USUAL_BATCHES])
def test_stats_at_two_million_items_under_two_writers(
    database_url: str, batches: int, figures: Figures
) -> None:
    engine = make_engine(
        database_url, application_name="benchmark", pool_size=4, statement_timeout_seconds=600
    )
    with engine.begin() as connection:
        connection.execute(text(_ROWS), {"items": ITEMS})
        connection.execute(text(_RUNS))
        connection.execute(text(_BATCHES), {"items": ITEMS, "batches": batches})
        connection.execute(text(_PAGES))
        connection.execute(text(_FAILED), {"failed": FAILED})
        connection.execute(text(_REQUESTS), {"requests": REQUESTS})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))

    of = f"stats.{ITEMS // 1000}k items, {batches} batches"
    idle = measure(engine)
    figures.add(f"{of}, CPU", 1000 * idle.server_cpu_seconds, unit="CPU ms/call")
    _show(f"\n{ITEMS} items in {batches} batches, load {os.getloadavg()[0]:.1f}: stats {idle}")
    written = 0
    for pace in PACES_ROWS_PER_SECOND:
        begun = time.monotonic()
        with writers(database_url, pace // WRITERS) as rows:
            busy = measure(engine)
        rate = sum(rows) / (time.monotonic() - begun)
        load = "at the quota's pace" if pace == min(PACES_ROWS_PER_SECOND) else "at full speed"
        name = f"{of}, p95 under writers {load}"
        # Ten times as many batches are measured to see what becomes of it.
        goal = "<= 5" if batches <= USUAL_BATCHES else None
        figures.add(name, 1000 * busy.quantile(95), unit="ms", goal=goal)
        _show(f"under {WRITERS} writers, {rate:.0f} rows/s together: {busy}")
        written += sum(rows)
    with engine.connect() as connection:
        stats = read_stats(connection)
    assert stats["items"]["processed"] == ITEMS + written
    engine.dispose()


def _show(line: str) -> None:
    print(line)  # noqa: T201  a benchmark's result


@dataclass(frozen=True)
class Calls:
    seconds: list[float]
    """Sorted."""
    server_cpu_seconds: float
    """The mean of one call: it does not depend on the machine's other work."""

    def quantile(self, percent: int) -> float:
        return self.seconds[CALLS * percent // 100]

    def __str__(self) -> str:
        p50, p95 = (1000 * self.quantile(percent) for percent in (50, 95))
        cpu = 1000 * self.server_cpu_seconds
        best = 1000 * self.seconds[0]
        return f"best {best:.1f} ms, p50 {p50:.1f} ms, p95 {p95:.1f} ms, CPU {cpu:.1f} ms a call"


def measure(engine: Engine) -> Calls:
    seconds = []
    with engine.connect() as connection:
        backend = psutil.Process(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
        before = backend.cpu_times()
        for _ in range(CALLS):
            begun = time.perf_counter()
            read_stats(connection)
            seconds.append(time.perf_counter() - begun)
            connection.rollback()
        after = backend.cpu_times()
    cpu_seconds = after.user + after.system - before.user - before.system
    return Calls(sorted(seconds), cpu_seconds / CALLS)


@contextmanager
def writers(url: str, rows_per_second: int) -> Iterator[list[int]]:
    """Processes that write new slices until left; then the list holds how many rows each wrote."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", __name__, url, str(number), str(rows_per_second)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(WRITERS)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()  # it has written its first slice
    rows: list[int] = []
    yield rows
    rows += [int(process.communicate("stop", timeout=60)[0]) for process in processes]


def write_until_told(url: str, number: int, rows_per_second: int) -> None:
    engine = make_engine(url, application_name="benchmark-writer")
    desk, records, rows = Desk(engine), Records(), 0
    for first in itertools.count(100_000_000 * (number + 1), _ROWS_PER_SLICE):
        due = time.monotonic() + _ROWS_PER_SLICE / rows_per_second
        slice_ = [records.record(each) for each in range(first, first + _ROWS_PER_SLICE)]
        # Without a window of its own the batch closes without reading the département.
        rows += desk.import_(*slice_, fetched_at=dt.datetime.now(dt.UTC), departement=None).records
        if first % 100_000_000 == 0:
            sys.stdout.write("writing\n")
            sys.stdout.flush()
        if select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
            break
    sys.stdout.write(f"{rows}\n")


if __name__ == "__main__":
    write_until_told(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
