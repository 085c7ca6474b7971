"""What tests of the writer begin with: a desk, records to write, a person, a command line."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

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
    """Of whom nothing is stored yet."""
    return Scene(desk, records, NATURAL)


@pytest.fixture
def sirenade(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Sirenade:
    """The writer's commands, on a register in one database."""
    monkeypatch.setenv("SIRENADE_DATABASE_URL", database_url)
    return sirenade_of(app, monkeypatch, capsys)
