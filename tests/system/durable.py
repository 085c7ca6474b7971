"""A PostgreSQL of a test's own, whose commits outlive its kill, and a database in it.

A test module takes both fixtures over by their names; `database_url` then stands in for that of
the shared server.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.postgres import RunningPostgres, start_postgres
from shared.db.migrate import upgrade


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
