"""Fixtures of the portal: a register that the services write, and the portal that serves it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.integration.portal.elastic import (
    SERVERS,
    Elastic,
    Middleman,
    elastic_at,
    middleman,
    real_url,
)
from tests.integration.writer.desk import Desk, ShardUrls, desk_on
from tests.integration.writer.records import Records
from tests.portals import Portal, running_portal
from tests.servers.elasticsearch import running_emulator


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


@pytest.fixture(scope="session", params=SERVERS)
def elastic_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    if request.param == "real":
        yield real_url()
        return
    with running_emulator(request.param, tmp_path_factory.mktemp("elastic")) as url:
        yield url


@pytest.fixture
def elastic(elastic_url: str, database_url: str) -> Iterator[Elastic]:
    elastic = elastic_at(elastic_url)
    yield elastic
    for shard in range(2):
        indexes = elastic.indexes(database_url, shard)
        for alias in (indexes.coming, indexes.served):
            indexes.delete(alias)


@pytest.fixture
def between(elastic: Elastic) -> Iterator[Middleman]:
    with middleman(elastic.url) as between:
        yield between
