"""The operator service, put together from its settings."""

from typing import Any

import dramatiq
from sqlalchemy import Engine

from services.operator.connections import all_urls, make_operator_engine
from services.operator.exporter.collector import DatabaseCollector, LogSizeCollector
from services.operator.jobs.catalogue import make_jobs
from services.operator.jobs.scheduler import Scheduler
from services.operator.settings import OperatorSettings
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.shards import open_shards
from shared.metrics import Metrics
from shared.runtime.service import Loop, Service, run_service
from shared.settings import load

_TURN_SECONDS = 15
_READER_SECONDS = 1800
# Prometheus gives up a scrape after ten seconds.
_EXPORT_TIMEOUT_SECONDS = 4


def build(
    settings: OperatorSettings,
    *,
    engine: Engine,
    broker: dramatiq.Broker,
    clock: Clock,
    metrics: Metrics,
) -> Service:
    """Make the service that runs the jobs; they order work in PostgreSQL, not at the broker."""
    del broker
    shards = open_shards(settings, engine, application_name="sirenade-operator", pool_size=1)
    elsewhere = [shard for shard in shards if shard is not engine]
    _export(settings, metrics)
    # A connection lives no longer than the job that needs it.
    readers = [make_operator_engine(url, _READER_SECONDS) for url in all_urls(settings)]
    scheduler = Scheduler(engine, make_jobs(settings, elsewhere, readers), clock, metrics)
    loop = Loop("scheduler", interval_seconds=_TURN_SECONDS, step=scheduler.turn)
    return Service(name="operator", loops=(loop,))


def _export(settings: OperatorSettings, metrics: Metrics) -> None:
    """Register the totals, on own connections: a long job does not hold up a scrape."""
    options: dict[str, Any] = {
        "application_name": "sirenade-exporter",
        "pool_size": 1,
        "statement_timeout_seconds": _EXPORT_TIMEOUT_SECONDS,
    }
    control = make_engine(settings.database_url.get_secret_value(), **options)
    shards = open_shards(settings, control, **options)
    for engine in (control, *shards):
        metrics.pools.watch("exporter", engine)
    metrics.registry.register(DatabaseCollector(control, shards))
    if settings.log_directory is not None:
        metrics.registry.register(LogSizeCollector(settings.log_directory))


def main() -> None:
    run_service("operator", load(OperatorSettings), build)
