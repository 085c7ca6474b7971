"""The composition of the indexer: loops for each shard, its Elasticsearch, and the webhooks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import dramatiq
from sqlalchemy import Engine

from services.portal.elasticsearch.indexes import ShardIndexes
from services.portal.elasticsearch.server import WORK_BOUNDS, ElasticsearchServer
from services.portal.index.elasticsearch.follower import Follower
from services.portal.index.indexer import Indexer
from services.portal.index.settings import IndexSettings
from services.portal.settings import SearchSettings
from services.portal.webhooks.sender import SENDERS, WebhookDatabases, WebhookSender
from shared.broker import make_broker
from shared.clock import Clock
from shared.db.engine import make_engine, temporary_engine
from shared.db.shards import open_shards
from shared.metrics import Metrics
from shared.runtime.service import Loop, Running, Service

# The prefixes are made of the whole lexicon in one statement.
TIMEOUT_SECONDS = 1800


def build(
    settings: IndexSettings,
    *,
    engine: Engine,
    broker: dramatiq.Broker,
    clock: Clock,
    metrics: Metrics,
) -> Service:
    del broker
    shards = open_shards(
        settings,
        engine,
        application_name="sirenade-indexer",
        pool_size=1,
        statement_timeout_seconds=TIMEOUT_SECONDS,
    )
    loops = tuple(
        Loop(
            f"indexer {number}",
            interval_seconds=settings.index_interval_seconds,
            step=Indexer(shard, clock, metrics, str(number)).step,
        )
        for number, shard in enumerate(shards)
    )
    return Service(
        name="indexer",
        loops=(
            *loops,
            *_elasticsearch_loops(settings, clock, metrics),
            _webhook_loop(settings, clock, metrics),
        ),
    )


def _webhook_loop(settings: IndexSettings, clock: Clock, metrics: Metrics) -> Loop:
    """Return the loop that tells receivers, with connections of its own: they may be slow."""
    control, *shards = [
        make_engine(url, application_name="sirenade-webhooks", pool_size=SENDERS // 2)
        for url in (settings.database_url.get_secret_value(), *settings.shard_urls)
    ]
    sender = WebhookSender(
        WebhookDatabases(control, shards),
        # A proxy would be asked in place of the receiver: nobody would see where messages go.
        replace(settings.egress, proxy_url="", public_only=not settings.webhooks_private),
        clock,
        metrics,
        interval_seconds=settings.index_interval_seconds,
    )
    interval_seconds = settings.index_interval_seconds
    return Loop("webhooks", interval_seconds=interval_seconds, step=sender.step)


def _elasticsearch_loops(settings: IndexSettings, clock: Clock, metrics: Metrics) -> Iterator[Loop]:
    """Yield a loop for each shard, with connections of its own: Elasticsearch may take long.

    The second one renews the lease.
    """
    if settings.search_engine != "elasticsearch":
        return
    for number, url in enumerate(settings.shard_urls):
        engine = make_engine(
            url,
            application_name="sirenade-elasticsearch",
            pool_size=2,
            statement_timeout_seconds=TIMEOUT_SECONDS,
        )
        follower = follower_of(settings, engine, number, clock, metrics)
        yield Loop(
            f"elasticsearch {number}",
            interval_seconds=settings.index_interval_seconds,
            step=follower.step,
        )


def follower_of(
    settings: SearchSettings, engine: Engine, shard: int, clock: Clock, metrics: Metrics
) -> Follower:
    server = ElasticsearchServer(settings, WORK_BOUNDS)
    indexes = ShardIndexes(server, settings.elasticsearch_index, shard)
    return Follower(engine, indexes, clock, metrics)


@contextmanager
def index_kept(settings: IndexSettings) -> Iterator[None]:
    """Keep the index as long as the block, in threads of this process."""
    clock, metrics = Clock(), Metrics(of={"indexer"}, version=settings.version)
    broker = make_broker(settings.broker_url.get_secret_value())
    url = settings.database_url.get_secret_value()
    options = {"application_name": "sirenade-indexer", "statement_timeout_seconds": TIMEOUT_SECONDS}
    with temporary_engine(url, **options) as engine:
        service = build(settings, engine=engine, broker=broker, clock=clock, metrics=metrics)
        running = Running([service], broker, clock, metrics)
        running.start()
        try:
            yield
        finally:
            running.stop()
