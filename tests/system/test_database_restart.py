"""PostgreSQL killed in mid-import: every loop and actor takes up its work by itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from deploy.local.postgres import RunningPostgres, start_postgres
from shared.db.migrate import upgrade
from shared.progress import Progress
from tests.system.conftest import (
    API,
    Insee,
    Processes,
    assert_the_end_state_is_whole,
    wait_for,
)

ESTABLISHMENTS = 3000
REQUESTS_PER_MINUTE = 100
GENERATORS = 5
SERVICES = ("fetcher", "writer", "reviewer")


@dataclass
class DurablePostgres:
    """A server whose commits survive its kill, as those of the shared one need not."""

    directory: Path

    def __post_init__(self) -> None:
        self.server = self._start()

    def kill_and_restart(self) -> None:
        self.server.kill()
        self.start_again()

    def start_again(self) -> None:
        self.server = self._start()

    def _start(self) -> RunningPostgres:
        return start_postgres(self.directory, name="durable", end_with_parent=True)


@pytest.fixture
def durable_postgres(servers_directory: Path) -> Iterator[DurablePostgres]:
    durable = DurablePostgres(servers_directory / "durable")
    yield durable
    durable.server.kill()


@pytest.fixture
def database_url(durable_postgres: DurablePostgres) -> str:
    durable_postgres.server.drop_database("restarted")
    url = durable_postgres.server.create_database("restarted")
    upgrade(url)
    return url


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_postgresql_killed_in_mid_import_loses_and_doubles_nothing(
    durable_postgres: DurablePostgres,
    engine: Engine,
    rabbitmq_url: str,
    start_insee: Callable[..., Insee],
    make_processes: Callable[..., Processes],
    request_import: Callable[..., None],
    progress: Callable[[], Progress],
) -> None:
    insee = start_insee(establishments=ESTABLISHMENTS, requests_per_minute=REQUESTS_PER_MINUTE)
    processes = make_processes(
        broker_url=rabbitmq_url,
        insee_url=insee.root + API,
        insee_requests_per_minute=REQUESTS_PER_MINUTE,
        insee_rows_per_page=100,
        reviewer_generators=GENERATORS,
    )
    for name in SERVICES:
        processes.start(name)
    request_import("33")

    def kill_once_received(rows: int) -> None:
        wait_for(lambda: progress().received >= rows, seconds=60, what=f"{rows} rows")
        durable_postgres.kill_and_restart()

    kill_once_received(ESTABLISHMENTS // 5)
    kill_once_received(ESTABLISHMENTS // 2)
    wait_for(
        lambda: (now := progress()).runs_open == 0 and now.avis_pending == 0,
        seconds=150,
        what="the end of the import and of its texts",
    )

    assert all(processes.running[name].poll() is None for name in SERVICES), "a service ended"
    assert_the_end_state_is_whole(engine, insee, progress(), kills=2, generators=GENERATORS)
