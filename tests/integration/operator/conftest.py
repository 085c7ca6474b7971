"""The operator's command line on a real database with the work of other services."""

from typing import Any

import pytest
from sqlalchemy import Engine

from services.operator.__main__ import app
from tests.integration.commands import Sirenade, sirenade_of
from tests.integration.reviewer.conftest import Desk as ReviewersDesk
from tests.integration.reviewer.conftest import Register
from tests.integration.writer import conftest as writer
from tests.integration.writer.desk import Desk, ShardUrls
from tests.integration.writer.records import Records

desk = writer.desk
records = writer.records


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
def broken(desk: Desk, records: Records) -> dict[str, Any]:
    """An establishment that could not be written, and its open item."""
    record = records.record(1, treated="no date at all")
    desk.import_(record, records.record(2))
    return desk.one("SELECT * FROM failed_items")


@pytest.fixture
def register(engine: Engine) -> Register:
    return Register(engine)


@pytest.fixture
def reviewers_desk(engine: Engine) -> ReviewersDesk:
    return ReviewersDesk(engine)
