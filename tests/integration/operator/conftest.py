"""The operator's command line on a real database, beside the services whose work it looks at."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from services.operator.__main__ import app
from shared.db.engine import make_engine
from tests.integration.commands import Sirenade, sirenade_of
from tests.integration.reviewer.conftest import Desk as ReviewersDesk
from tests.integration.reviewer.conftest import Register
from tests.integration.writer.desk import Desk, ShardUrls, desk_on
from tests.integration.writer.records import Records


@pytest.fixture
def sirenade(
    shard_urls: ShardUrls, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Sirenade:
    """The operator's commands, over all shards of the test."""
    monkeypatch.setenv("SIRENADE_DATABASE_URL", shard_urls[0])
    if len(shard_urls) > 1:
        monkeypatch.setenv("SIRENADE_SHARD_DATABASE_URLS", ",".join(shard_urls))
    return sirenade_of(app, monkeypatch, capsys)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, application_name="tests-operator", pool_size=4)
    yield engine
    engine.dispose()


@pytest.fixture
def desk(engine: Engine, shard_urls: ShardUrls) -> Iterator[Desk]:
    with desk_on(engine, shard_urls) as desk:
        yield desk


@pytest.fixture(scope="session")
def records() -> Records:
    return Records()


@pytest.fixture
def register(engine: Engine) -> Register:
    return Register(engine)


@pytest.fixture
def reviewers_desk(engine: Engine) -> ReviewersDesk:
    return ReviewersDesk(engine)
