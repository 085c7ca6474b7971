"""The way of a row from INSEE's answer to the tables, without quota, with its CPU by service.

One process each: simulator with ready-made pages → fetcher → RabbitMQ → writer → PostgreSQL.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest

from deploy.local.postgres import RunningPostgres
from shared.db.engine import make_engine
from shared.imports.orders import order_import
from shared.imports.scope import Scope
from tests.benchmarks import baseline
from tests.benchmarks.figures import Figures
from tests.benchmarks.sizes import pick
from tests.integration.writer.desk import Desk
from tests.servers.rabbitmq import RunningRabbitmq

_ROWS = int(os.environ.get("SIRENADE_BENCHMARK_ROWS", pick(quick="6000", normal="20000")))
_ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 600
_PER_MINUTE = "10000"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * _PATIENCE_SECONDS)]

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(database_url: str, private_rabbitmq_url: str, tmp_path: Path) -> Iterator[Start]:
    """Start a service with a log of its own; ended with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*arguments: str, **settings: str) -> "subprocess.Popen[bytes]":
        environment = {
            **os.environ,
            "SIRENADE_DATABASE_URL": database_url,
            "SIRENADE_BROKER_URL": private_rabbitmq_url,
            "SIRENADE_METRICS_PORT": "0",
            **settings,
        }
        with (tmp_path / f"{arguments[0]}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=_ROOT,
                env=environment,
                stdout=log,
                stderr=log,
            )
        started.append(process)
        return process

    yield run
    for process in started:
        process.terminate()
        process.wait(timeout=30)


def _wait(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"still waiting for {what}"
        time.sleep(0.02)


def _cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Count processes with all their children, such as a server's backends, and ended ones."""
    seconds = {}
    for name, pid in pids.items():
        parent = psutil.Process(pid)
        own = parent.cpu_times()
        total = own.user + own.system + own.children_user + own.children_system
        for child in parent.children(recursive=True):
            times = child.cpu_times()
            total += times.user + times.system
        seconds[name] = total
    return seconds


def test_the_import_path_and_its_budget(
    database_url: str,
    postgres: RunningPostgres,
    private_rabbitmq: RunningRabbitmq,
    start: Start,
    tmp_path: Path,
    figures: Figures,
) -> None:
    port_file = tmp_path / "port"
    simulator = start(
        "services.simulator",
        *("--port-file", str(port_file), "--departement", "33", "--ready-made"),
        *("--establishments", str(_ROWS), "--requests-per-minute", _PER_MINUTE),
    )
    _wait(port_file.exists, "the simulator")
    engine = make_engine(database_url, application_name="benchmark")
    desk = Desk(engine)
    fetcher = start(
        "services.fetcher",
        "run",
        SIRENADE_INSEE_URL=f"http://127.0.0.1:{port_file.read_text().strip()}/api-sirene/3.11",
        SIRENADE_INSEE_KEY="benchmark",
        SIRENADE_INSEE_REQUESTS_PER_MINUTE=_PER_MINUTE,
        SIRENADE_INSEE_TIMEOUT_SECONDS="120",
    )
    writer = start("services.writer", "run")
    pids = {
        "simulator": simulator.pid,
        "fetcher": fetcher.pid,
        "RabbitMQ": private_rabbitmq.pid,
        "writer": writer.pid,
        "PostgreSQL": postgres.pid,
    }

    def import_all(name: str) -> tuple[float, dict[str, float]]:
        before, started = _cpu_seconds(pids), time.monotonic()
        with engine.begin() as connection:
            order_import(connection, Scope(departements=["33"]))
        _wait(
            lambda: (
                not desk.execute("SELECT 1 FROM import_runs WHERE status IN ('pending', 'running')")
            ),
            "the import",
        )
        elapsed = time.monotonic() - started
        spent = {k: v - before[k] for k, v in _cpu_seconds(pids).items()}
        assert desk.number("etablissements") == _ROWS
        costs_us = {k: v / _ROWS * 1e6 for k, v in spent.items()}
        budget = ", ".join(f"{k} {v:.0f}" for k, v in costs_us.items())
        print(  # noqa: T201  a benchmark's result
            f"\n{name}: {_ROWS / elapsed:.0f} rows/s,"
            f" CPU µs/row {sum(costs_us.values()):.0f} ({budget});"
            f" the writer's memory {psutil.Process(writer.pid).memory_info().rss / 1e6:.0f} MB"
        )
        return _ROWS / elapsed, costs_us

    import_all("new, and the simulator makes its pages")
    desk.execute(f"TRUNCATE {', '.join(baseline.TABLES)}")
    for name in ("new", "unchanged"):
        rows_per_second, costs_us = import_all(name)
        figures.add(f"import.{name}", rows_per_second, unit="rows/s")
        ours_us = sum(cost for part, cost in costs_us.items() if part != "simulator")
        parts = ", ".join(f"{part} {cost:.0f}" for part, cost in costs_us.items())
        figures.add(f"import.{name}, CPU", ours_us, unit="CPU µs/row", note=parts)
    for service, process in (("fetcher", fetcher), ("writer", writer)):
        rss_mib = psutil.Process(process.pid).memory_info().rss / 2**20
        figures.add(f"import.RSS of the {service}", rss_mib, unit="MiB", goal="<= 150")
    engine.dispose()
