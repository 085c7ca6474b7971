"""Puts the writer together; the only module of it that reads the environment."""

import dramatiq
from sqlalchemy import Engine

from services.writer.actors import declare_actors
from services.writer.archiving import DeadLetterArchive
from services.writer.settings import WriterSettings
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.messages import WriteSlice
from shared.metrics import Metrics
from shared.service import Loop, Service, run_service
from shared.settings import DatabaseSettings, load

_ARCHIVE_INTERVAL_SECONDS = 10


def build(
    settings: WriterSettings,
    *,
    engine: Engine,
    broker: dramatiq.Broker,
    clock: Clock,  # noqa: ARG001  every service is built alike
    metrics: Metrics,
) -> Service:
    """Declare the writer's actor on the broker and return what runs it."""
    declare_actors(broker, engine, metrics, sole_traders=settings.avis_sole_traders)
    archive = DeadLetterArchive(broker, engine, metrics)
    return Service(
        name="writer",
        queue=WriteSlice.QUEUE,
        worker_threads=settings.writer_threads,
        loops=(
            Loop("dead letters", interval_seconds=_ARCHIVE_INTERVAL_SECONDS, step=archive.step),
        ),
    )


def open_engine() -> Engine:
    """One connection, for the commands."""
    url = load(DatabaseSettings).database_url.get_secret_value()
    return make_engine(url, application_name="sirenade-writer-command", pool_size=1)


def main() -> None:
    settings = load(WriterSettings)
    # One connection for each slice being written, and the archive takes its turn among them.
    run_service("writer", settings, build, connections=settings.writer_threads)
