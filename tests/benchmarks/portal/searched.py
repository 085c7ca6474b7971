"""A database that is searched: its index made by the command that people use, and an engine."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812  a class, named as one

from deploy.local.folders import PROJECT
from deploy.local.postgres import RunningPostgres
from services.portal.search.engine import Found, Hit, Search
from services.portal.search.postgres import PostgresEngine
from services.portal.web.connections import Connections
from shared.db_url import normalise_url
from tests.benchmarks.portal import cpu
from tests.benchmarks.portal.cpu import Cost
from tests.benchmarks.portal.register import load_register


@dataclass(frozen=True)
class Searched:
    """The engine by the names of its questions, and a connection to look beside it."""

    url: str
    connection: Connection
    _engine: PostgresEngine
    _loop: asyncio.AbstractEventLoop

    def find(self, search: Search) -> Found:
        return self._loop.run_until_complete(self._engine.find(search))

    def suggest(self, q: str) -> Sequence[Hit]:
        return self._loop.run_until_complete(self._engine.suggest(q))

    def number(self, statement: str) -> float:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            [(value,)] = cursor.fetchall()
        return float(value)

    def costs(self, calls: Sequence[Callable[[], object]], *, rounds: int = 3) -> list[Cost]:
        """Return what each call costs here and in the backends, the least of some rounds."""
        calls[0]()  # the engine connects at its first search
        servers = cpu.backends(self.connection)
        return [cpu.cheapest(call, servers, rounds=rounds) for call in calls]


@contextmanager
def searched(
    postgres: RunningPostgres, template: str, name: str, fill: Callable[[str], None]
) -> Iterator[Searched]:
    """Fill a database of this name and make its index; drop it afterwards."""
    url = postgres.create_database(name, template=template)
    fill(url)
    _make_index(url)
    connection = psycopg2.connect(
        normalise_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    )
    connection.autocommit = True
    connections, loop = Connections(url, size=1), asyncio.new_event_loop()
    yield Searched(url, connection, PostgresEngine([connections]), loop)
    connections.close()
    loop.close()
    connection.close()
    postgres.drop_database(name)


def site_of(name: str, *, pages: int) -> Any:
    """Return the fixture `site` of a module. It is a database with this many pages."""

    @pytest.fixture(scope="module", name="site")
    def site(
        postgres: RunningPostgres,
        migrated_template: str,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> Iterator[Searched]:
        folder = tmp_path_factory.mktemp("stock")

        def fill(url: str) -> None:
            load_register(url, folder, pages=pages)

        with searched(postgres, migrated_template, name, fill) as made:
            yield made

    return site


def _make_index(url: str) -> None:
    command = [sys.executable, "-m", "services.portal", "search", "rebuild", "--empty"]
    environment = {**os.environ, "SIRENADE_DATABASE_URL": url}
    subprocess.run(command, cwd=PROJECT, env=environment, check=True)
