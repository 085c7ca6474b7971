"""The composition of the indexer: one loop for each shard."""

import dramatiq
from sqlalchemy import Engine

from services.portal.index.indexer import Indexer
from services.portal.index.settings import IndexSettings
from shared.clock import Clock
from shared.db.shards import open_shards
from shared.metrics import Metrics
from shared.runtime.service import Loop, Service

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
    return Service(name="indexer", loops=loops)
