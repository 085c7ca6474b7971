"""The trial of a full disk: needs a small file system of its own, so it is no test.

    mount -t tmpfs -o size=300m tmpfs /mnt/small
    .venv/bin/python -m tests.system.disk_full /mnt/small
    umount /mnt/small

An import runs on a PostgreSQL whose data lie there; a ballast fills the disk for a minute.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psycopg2
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from deploy.local.postgres import RunningPostgres, start_postgres
from services.simulator.gateway.server import RunningServer
from services.simulator.options import SimulatorOptions
from shared.db.engine import make_engine
from shared.db.migrate import upgrade
from shared.imports.orders import order_import
from shared.imports.progress import Progress, read_progress
from shared.imports.scope import Scope
from tests.servers.rabbitmq import start_rabbitmq
from tests.system.conftest import ROOT, Processes

ESTABLISHMENTS = 20_000
FULL_SECONDS = 60
PATIENCE_SECONDS = 300


class Trial:
    """The servers and services of the trial, all in folders that may be thrown away."""

    def __init__(self, small: Path, scratch: Path) -> None:
        self.small = small
        self.postgres = self.start_postgres()
        self.url = self.postgres.create_database("trial")
        upgrade(self.url)
        self.engine = make_engine(self.url, application_name="trial")
        self.rabbitmq = start_rabbitmq(scratch / "rabbitmq", end_with_parent=True)
        self.insee = RunningServer(
            SimulatorOptions(
                establishments=ESTABLISHMENTS, departements=("33",), requests_per_minute=600
            )
        )
        self.services = Processes(self._environment(self.insee), scratch)

    def start_postgres(self) -> RunningPostgres:
        return start_postgres(self.small / "postgres", name="trial", end_with_parent=True)

    def _environment(self, insee: RunningServer) -> dict[str, str]:
        return os.environ | {
            "SIRENADE_DATABASE_URL": self.url,
            "SIRENADE_BROKER_URL": self.rabbitmq.url,
            "SIRENADE_INSEE_URL": insee.url,
            "SIRENADE_INSEE_KEY": "trial",
            "SIRENADE_INSEE_REQUESTS_PER_MINUTE": "600",
            "SIRENADE_INSEE_ROWS_PER_PAGE": "200",
            "SIRENADE_METRICS_PORT": "0",
        }

    def progress(self) -> Progress | None:
        """None where the database does not answer."""
        try:
            with self.engine.connect() as connection:
                return read_progress(connection)
        except DBAPIError:
            return None

    def until_received(self, rows: int) -> None:
        deadline_seconds = time.monotonic() + PATIENCE_SECONDS
        while (now := self.progress()) is None or now.received < rows:
            if time.monotonic() > deadline_seconds:
                raise SystemExit(f"after {PATIENCE_SECONDS} s: {now}")
            time.sleep(0.5)

    def stop(self) -> None:
        self.services.kill_all()
        self.insee.stop()
        self.rabbitmq.kill()
        self.postgres.kill()


def main(small: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        trial = Trial(small, Path(scratch))
        try:
            run(trial)
        finally:
            for name in trial.services.running:
                shutil.copy(Path(scratch) / f"{name}.log", tempfile.gettempdir())
            trial.stop()


def run(trial: Trial) -> None:
    for name in ("fetcher", "writer", "reviewer"):
        trial.services.start(name)
    with trial.engine.begin() as connection:
        order_import(connection, Scope(departements=["33"]))
    trial.until_received(ESTABLISHMENTS // 10)
    tell("the disk is filled", trial)
    ballast = trial.small / "ballast"
    fill(ballast)
    full_until_seconds = time.monotonic() + FULL_SECONDS
    while time.monotonic() < full_until_seconds:
        time.sleep(10)
        fill(ballast)
        tell("full", trial)
    ballast.unlink()
    tell("the ballast is gone", trial)
    if not is_up(trial.postgres):
        print("PostgreSQL has ended itself: started again")  # noqa: T201  a person reads the trial
        trial.postgres = trial.start_postgres()
    trial.until_received(ESTABLISHMENTS)
    wait_for_the_end(trial)
    tell("the end", trial)
    show(trial.engine, "SELECT status, error FROM import_runs")
    show(trial.engine, "SELECT status, expected, received_distinct, stored FROM import_batches")
    show(trial.engine, "SELECT code, count(*) FROM failed_items GROUP BY 1")
    show(trial.engine, "SELECT queue, reason, count(*) FROM dead_letters GROUP BY 1, 2")
    for name, process in trial.services.running.items():
        alive = "runs" if process.poll() is None else "ENDED"
        log_bytes = (trial.services.logs / f"{name}.log").stat().st_size
        print(f"{name} {alive}, {log_bytes} bytes of log")  # noqa: T201  a person reads the trial


def fill(ballast: Path) -> None:
    with ballast.open("ab", buffering=0) as file:
        for size in (2**20, 2**12):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


def is_up(postgres: RunningPostgres) -> bool:
    try:
        with postgres.connect():
            return True
    except psycopg2.OperationalError:
        return False


def wait_for_the_end(trial: Trial) -> None:
    deadline_seconds = time.monotonic() + PATIENCE_SECONDS
    while (now := trial.progress()) is None or now.runs_open or now.avis_pending:
        if time.monotonic() > deadline_seconds:
            raise SystemExit(f"after {PATIENCE_SECONDS} s: {now}")
        time.sleep(0.5)


def tell(what: str, trial: Trial) -> None:
    now = trial.progress()
    state = f"received {now.received}" if now else "the database does not answer"
    print(f"{time.strftime('%H:%M:%S')} {what}: {state}", flush=True)  # noqa: T201  a person reads the trial


def show(engine: Engine, query: str) -> None:
    with engine.connect() as connection:
        print(query, [tuple(row) for row in connection.execute(text(query))])  # noqa: T201  a person reads the trial


if __name__ == "__main__":
    os.chdir(ROOT)
    main(Path(sys.argv[1]))
