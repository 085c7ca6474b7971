"""Puts the writer together; no other module of the service reads the environment."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import dramatiq
from sqlalchemy import Engine

from services.writer.actors import declare_actors
from services.writer.dead_letters import DeadLetterArchive
from services.writer.erasure import oppositions
from services.writer.erasure.orders import ErasureOrders
from services.writer.erasure.staged import StagedRows
from services.writer.learned_codes import renew_learned
from services.writer.settings import StockSettings, WriterSettings
from services.writer.trades import Trades
from services.writer.turns.turns import Turns
from shared.archive.settings import BackupSettings
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.revision import current_engine, require_current
from shared.db.shards import open_shards, remote_urls, require_one_database, url_for
from shared.db_url import database_address
from shared.messages import WriteSlice
from shared.metrics import Metrics
from shared.runtime.service import Loop, Service, run_service
from shared.settings import DatabaseSettings, load
from shared.sirene import reference

T = TypeVar("T")

_COMMAND = "sirenade-writer-command"
_ARCHIVE_INTERVAL_SECONDS = 10
# A day begins for its establishments within this time.
_TURNS_INTERVAL_SECONDS = 60
# A person waits for the outcome.
_ERASURE_ORDERS_INTERVAL_SECONDS = 2
_TRADES_INTERVAL_SECONDS = 60
# Each turn reads what an interrupted load left behind, and mostly nothing.
_STAGED_INTERVAL_SECONDS = 3600
# A process knows the same codes all its life: another turn follows one that failed.
_LEARN_INTERVAL_SECONDS = 3600


def build(
    settings: WriterSettings,
    *,
    engine: Engine,
    broker: dramatiq.Broker,
    clock: Clock,
    metrics: Metrics,
) -> Service:
    """Declare the writer's actor on the broker and return what runs it."""
    reference.load()
    shards = open_shards(
        settings, engine, application_name="sirenade-writer", pool_size=settings.writer_threads
    )
    for shard in shards:
        metrics.pools.watch("shards", shard)
    sole_traders = settings.avis_sole_traders
    declare_actors(broker, engine, clock, metrics, sole_traders=sole_traders, shards=shards)
    alone = all(shard is engine for shard in shards)
    archive = DeadLetterArchive(broker, engine, metrics, with_records=alone)
    turns = Turns(shards, clock, sole_traders)
    trades = Trades(shards, clock)
    erasures = ErasureOrders(shards, clock)

    def learn() -> None:
        renew_learned(engine, shards, sole_traders=sole_traders)

    return Service(
        name="writer",
        queue=WriteSlice.QUEUE,
        worker_threads=settings.writer_threads,
        loops=(
            Loop("dead letters", interval_seconds=_ARCHIVE_INTERVAL_SECONDS, step=archive.step),
            Loop(
                "erasure orders",
                interval_seconds=_ERASURE_ORDERS_INTERVAL_SECONDS,
                step=erasures.step,
            ),
            Loop("turns", interval_seconds=_TURNS_INTERVAL_SECONDS, step=turns.step),
            Loop("trades", interval_seconds=_TRADES_INTERVAL_SECONDS, step=trades.step),
            Loop(
                "staged rows",
                interval_seconds=_STAGED_INTERVAL_SECONDS,
                step=StagedRows(shards).step,
            ),
            Loop("learned codes", interval_seconds=_LEARN_INTERVAL_SECONDS, step=learn),
        ),
    )


def open_engine(siren: str | None = None) -> Engine:
    """Open one connection for a command: to the database of the unit, or to the only one.

    Raises UserError where no unit is named and the register is in several databases.
    """
    settings = load(DatabaseSettings)
    if siren is None:
        require_one_database(settings)
    url = settings.shard_urls[0] if siren is None else url_for(settings, siren)
    engine = make_engine(url, application_name=_COMMAND, pool_size=1)
    with engine.connect() as connection:
        require_current(connection)
    return engine


def export_lines() -> Iterator[str]:
    """Yield the exported erasures of every database of the register."""
    for url in load(DatabaseSettings).shard_urls:
        with current_engine(url, application_name=_COMMAND) as engine, engine.connect() as found:
            yield from oppositions.export_lines(found)


def read_backup_settings() -> BackupSettings:
    return load(BackupSettings)


def urls_of_all(settings: DatabaseSettings) -> list[str]:
    """Return the URL of the control database, then of each shard in another one."""
    return [settings.database_url.get_secret_value(), *remote_urls(settings)]


def homes(
    settings: DatabaseSettings, by_siren: Mapping[str, T]
) -> Iterator[tuple[Engine, dict[str, T]]]:
    """Yield each database, also a restored one that is marked, with its part by siren."""
    for url in urls_of_all(settings):
        at = database_address(url)
        own = {
            siren: each
            for siren, each in by_siren.items()
            if database_address(url_for(settings, siren)) == at
        }
        options: dict[str, Any] = {"statement_timeout_seconds": 0, "marked_too": True}
        with current_engine(url, application_name=_COMMAND, **options) as engine:
            yield engine, own


def read_stock_settings() -> StockSettings:
    """Raise UserError where the register is in several databases: a stock file fills only one."""
    settings = load(StockSettings)
    require_one_database(settings)
    return settings


def main() -> None:
    settings = load(WriterSettings)
    # One connection for each slice that is being written; the loops take them in turn.
    run_service("writer", settings, build, connections=settings.writer_threads)
