"""Puts the operator together; the only module of it that reads the environment."""

from pathlib import Path

import dramatiq
from sqlalchemy import Engine

from services.operator.archive.storage import Storage, open_storage
from services.operator.exporter import DatabaseCollector, LogSizeCollector
from services.operator.jobs.catalogue import make_jobs
from services.operator.jobs.scheduler import Scheduler
from services.operator.settings import ArchiveSettings, MonitorSettings, OperatorSettings
from shared.broker import make_broker
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.migrate import require_current
from shared.db.shards import connected, open_shards, remote_urls
from shared.errors import UserError
from shared.metrics import Metrics
from shared.runtime.service import Loop, Service, run_service
from shared.settings import DatabaseSettings, LogSettings, ServiceSettings, load

_TURN_SECONDS = 15
_READER_SECONDS = 1800
# Below the ten seconds after which Prometheus gives up a scrape.
_EXPORT_TIMEOUT_SECONDS = 4


def open_engine(*, statement_timeout_seconds: int = 60) -> Engine:
    """One connection; a timeout of 0 is for what reads whole tables."""
    settings = load(DatabaseSettings)
    return _engine(settings.database_url.get_secret_value(), statement_timeout_seconds)


def open_engines(*, statement_timeout_seconds: int = 60) -> tuple[Engine, ...]:
    """The control database first, then each shard that is no part of it; all of them current."""
    settings = load(DatabaseSettings)
    urls = (settings.database_url.get_secret_value(), *remote_urls(settings))
    engines = tuple(_engine(url, statement_timeout_seconds) for url in urls)
    with connected(engines) as connections:
        for connection in connections:
            require_current(connection)
    return engines


def _engine(url: str, statement_timeout_seconds: int) -> Engine:
    return make_engine(
        url,
        application_name="sirenade-operator",
        pool_size=1,
        statement_timeout_seconds=statement_timeout_seconds,
    )


def log_directory() -> Path:
    """Raises UserError where no folder is set, or there is none."""
    directory = load(LogSettings).log_directory
    if directory is None:
        raise UserError("say which files, or set SIRENADE_LOG_DIRECTORY")
    if not directory.is_dir():
        raise UserError(f"there is no folder {directory}")
    return directory


def monitor_settings() -> MonitorSettings:
    return load(MonitorSettings)


def archive_settings() -> ArchiveSettings:
    return load(ArchiveSettings)


def storage_of(settings: ArchiveSettings) -> Storage:
    """Raises UserError where none is set."""
    if not settings.archive_url:
        raise UserError("set SIRENADE_ARCHIVE_URL: s3://…, az://…, gs://… or file:///…")
    return open_storage(settings.archive_url, settings.archive_credentials.get_secret_value())


def open_broker() -> dramatiq.Broker:
    url = load(ServiceSettings).broker_url.get_secret_value()
    if url.startswith("memory:"):
        raise UserError("nobody can publish to a memory:// broker from another process")
    return make_broker(url)


def build(
    settings: OperatorSettings,
    *,
    engine: Engine,
    broker: dramatiq.Broker,
    clock: Clock,
    metrics: Metrics,
) -> Service:
    """Return what fires the jobs; they order work in PostgreSQL, and nothing of the broker."""
    del broker
    shards = open_shards(settings, engine, application_name="sirenade-operator", pool_size=1)
    elsewhere = [shard for shard in shards if shard is not engine]
    _export(settings, metrics)
    # Connections are made when a job needs them, and given back.
    readers = [
        _engine(url, _READER_SECONDS)
        for url in (settings.database_url.get_secret_value(), *remote_urls(settings))
    ]
    jobs = make_jobs(settings, elsewhere, readers)
    scheduler = Scheduler(engine, jobs, clock, metrics)
    return Service(
        name="operator",
        loops=(Loop("scheduler", interval_seconds=_TURN_SECONDS, step=scheduler.turn),),
    )


def _export(settings: OperatorSettings, metrics: Metrics) -> None:
    """On connections of its own: a job that takes long does not hold up a scrape."""
    control = make_engine(
        settings.database_url.get_secret_value(),
        application_name="sirenade-exporter",
        pool_size=1,
        statement_timeout_seconds=_EXPORT_TIMEOUT_SECONDS,
    )
    shards = open_shards(
        settings,
        control,
        application_name="sirenade-exporter",
        pool_size=1,
        statement_timeout_seconds=_EXPORT_TIMEOUT_SECONDS,
    )
    for engine in (control, *shards):
        metrics.pools.watch("exporter", engine)
    metrics.registry.register(DatabaseCollector(control, shards))
    if settings.log_directory is not None:
        metrics.registry.register(LogSizeCollector(settings.log_directory))


def main() -> None:
    run_service("operator", load(OperatorSettings), build)
