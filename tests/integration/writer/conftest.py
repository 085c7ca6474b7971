"""Fixtures of the writer: a desk, records, a person, the command line."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine

from deploy.local.postgres import RunningPostgres
from services.writer.__main__ import app
from tests.integration.commands import Sirenade, sirenade_of
from tests.integration.writer.desk import Desk, ShardUrls, desk_on
from tests.integration.writer.records import Records
from tests.integration.writer.scene import NATURAL, Scene


@pytest.fixture
def desk(engine: Engine, shard_urls: ShardUrls) -> Iterator[Desk]:
    with desk_on(engine, shard_urls) as desk:
        yield desk


@pytest.fixture(scope="session")
def records() -> Records:
    return Records()


@pytest.fixture
def person(desk: Desk, records: Records) -> Scene:
    """Return a person without any stored row."""
    return Scene(desk, records, NATURAL)


@pytest.fixture
def sirenade(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Sirenade:
    """Run the writer's commands on a register in one database."""
    monkeypatch.setenv("SIRENADE_DATABASE_URL", database_url)
    return sirenade_of(app, monkeypatch, capsys)


@pytest.fixture
def log_since(postgres: RunningPostgres) -> Callable[[], str]:
    """Return what the server has logged since the test began."""
    path = postgres.directory / "postgres.log"
    before = path.stat().st_size

    def read() -> str:
        return path.read_bytes()[before:].decode(errors="replace")

    return read
