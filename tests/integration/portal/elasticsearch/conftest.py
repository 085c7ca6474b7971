"""Fixtures of searches in Elasticsearch: an invented register, found by both engines."""

import asyncio
from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import Engine

from services.portal.elasticsearch.engine import ElasticsearchEngine
from services.portal.search.engine import Search
from shared.metrics import Metrics
from tests.integration.portal.elastic import Elastic, Middleman
from tests.integration.portal.search.conftest import Finder, Shard
from tests.integration.portal.search.invented import Invented, invent, store


class Both:
    """Asks both engines of one register; Elasticsearch is reached by a middleman."""

    def __init__(
        self, engine: Engine, invented: Sequence[Invented], elastic: Elastic, between: Middleman
    ) -> None:
        self.engine = engine
        self.between = between
        self.metrics = Metrics(of={"portal"})
        self.shards = [Shard(engine), Shard(engine)]
        self.follower = elastic.follower(engine)
        self.follower.step()
        url = engine.url.render_as_string(hide_password=False)
        settings = elastic.settings(url, elasticsearch_url=between.url)
        self.postgresql = Finder(self.shards[:1], invented)
        self.elasticsearch = Finder(self.shards[:1], invented)
        self.elasticsearch.engine = ElasticsearchEngine(self.shards[1:], settings, self.metrics)

    def refresh(self) -> None:
        self.follower.indexes.refresh(self.follower.indexes.served)

    def value(self, name: str) -> float:
        return self.metrics.registry.get_sample_value(name) or 0.0

    def asked(self) -> int:
        return len(self.between.bodies("_search"))

    def suggested(self, q: str) -> Sequence[str]:
        return [hit.siret for hit in asyncio.run(self.elasticsearch.engine.suggest(q))]

    def total(self, q: str) -> int:
        return asyncio.run(self.elasticsearch.engine.find(Search(q=q))).total


@pytest.fixture
def both(
    request: pytest.FixtureRequest, engine: Engine, elastic: Elastic, between: Middleman
) -> Iterator[Both]:
    """Return both engines over a register of 300, or of as many as the test says."""
    invented = invent(getattr(request, "param", 300))
    store(engine, invented)
    both = Both(engine, invented, elastic, between)
    yield both
    for shard in both.shards:
        shard.session.close()
