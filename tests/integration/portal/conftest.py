"""Fixtures of the portal: a register that the services write, and the portal that serves it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.integration.writer.desk import Desk, ShardUrls, desk_on
from tests.integration.writer.records import Records
from tests.portals import Portal, running_portal


@pytest.fixture
def desk(engine: Engine, shard_urls: ShardUrls) -> Iterator[Desk]:
    with desk_on(engine, shard_urls) as desk:
        yield desk


@pytest.fixture(scope="session")
def records() -> Records:
    return Records()


@pytest.fixture
def portal(shard_urls: ShardUrls) -> Iterator[Portal]:
    with running_portal(*shard_urls) as portal:
        yield portal
