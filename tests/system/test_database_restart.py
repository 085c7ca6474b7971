"""PostgreSQL killed in mid-import: every loop and actor takes up its work by itself."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from shared.imports.progress import Progress
from tests.system import durable
from tests.system.conftest import (
    ROOT,
    StartServices,
    assert_the_end_state_is_whole,
    column,
    wait_for,
    wait_for_the_end,
)
from tests.system.durable import DurablePostgres

ESTABLISHMENTS = 3000
REQUESTS_PER_MINUTE = 100
GENERATORS = 5
SERVICES = ("fetcher", "writer", "reviewer")

durable_postgres = durable.durable_postgres
database_url = durable.database_url


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_postgresql_killed_in_mid_import_loses_and_doubles_nothing(
    durable_postgres: DurablePostgres,
    engine: Engine,
    rabbitmq_url: str,
    start_services: StartServices,
    tmp_path: Path,
    progress: Callable[[], Progress],
) -> None:
    insee, processes = start_services(
        *SERVICES,
        broker_url=rabbitmq_url,
        establishments=ESTABLISHMENTS,
        requests_per_minute=REQUESTS_PER_MINUTE,
        insee_rows_per_page=100,
        reviewer_generators=GENERATORS,
    )
    # A service that is still starting would end with the database.
    wait_for(
        lambda: len(column(engine, "SELECT DISTINCT service FROM service_heartbeats")) == 3,
        seconds=60,
        what="all services",
    )
    with (tmp_path / "watcher.log").open("wb") as log:
        command = [str(ROOT / "sirenade"), "import", "--departement", "33"]
        watcher = subprocess.Popen(command, env=processes.environment, stdout=log, stderr=log)

    def kill_once_received(rows: int) -> None:
        wait_for(lambda: progress().received >= rows, seconds=60, what=f"{rows} rows")
        durable_postgres.kill_and_restart()

    kill_once_received(ESTABLISHMENTS // 5)
    kill_once_received(ESTABLISHMENTS // 2)
    wait_for_the_end(progress, seconds=150)

    # The pauses have not sent the watching command away.
    assert watcher.wait(30) == 0, (tmp_path / "watcher.log").read_text()
    assert all(processes.running[name].poll() is None for name in SERVICES), "a service ended"
    assert_the_end_state_is_whole(engine, insee, progress(), kills=2, generators=GENERATORS)
