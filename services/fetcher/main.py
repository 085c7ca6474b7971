"""Puts the fetcher together; the only module of it that reads the environment."""

import dramatiq
from sqlalchemy import Engine

from services.fetcher.actors import BrokerPublisher, declare_actors
from services.fetcher.insee import InseeClient
from services.fetcher.loops import Planner, Sweeper
from services.fetcher.quota import Quota
from services.fetcher.settings import FetcherSettings
from services.fetcher.store import ImportStore
from services.fetcher.walking import Pace, Walker
from shared.broker import ready_messages
from shared.clock import Clock
from shared.messages import FetchPage, WriteSlice
from shared.metrics import Metrics
from shared.service import Loop, Service, run_service
from shared.settings import load


def build(
    settings: FetcherSettings,
    *,
    engine: Engine,
    broker: dramatiq.Broker,
    clock: Clock,
    metrics: Metrics,
) -> Service:
    """Declare the fetcher's actor on the broker and return what runs it."""
    store = ImportStore(engine)
    publisher = BrokerPublisher(broker)
    quota = Quota(engine, settings.insee_key.get_secret_value(), clock, metrics)
    quota.open(
        requests_per_minute=settings.insee_requests_per_minute,
        requests_per_hour=settings.insee_requests_per_hour,
    )
    pace = Pace(
        request_timeout_seconds=settings.insee_timeout_seconds,
        slot_patience_seconds=settings.fetcher_slot_patience_seconds,
        rows_per_page=settings.insee_rows_per_page,
        max_slices_ready=settings.fetcher_max_slices_ready,
    )
    broker.declare_queue(WriteSlice.QUEUE)
    walker = Walker(
        store=store,
        quota=quota,
        client=InseeClient(
            str(settings.insee_url),
            settings.insee_key.get_secret_value(),
            timeout_seconds=settings.insee_timeout_seconds,
            pool_size=settings.fetcher_threads,
        ),
        publisher=publisher,
        slices_ready=lambda: ready_messages(broker, WriteSlice.QUEUE),
        pace=pace,
        metrics=metrics,
    )
    declare_actors(broker, walker, time_limit_seconds=pace.lease_seconds)
    planner = Planner(
        store,
        publisher,
        walker.count,
        parallel_batches=settings.fetcher_parallel_batches,
        lease_seconds=pace.lease_seconds,
    )
    sweeper = Sweeper(
        store=store,
        publisher=publisher,
        pages_ready=lambda: ready_messages(broker, FetchPage.QUEUE),
        slices_ready=lambda: ready_messages(broker, WriteSlice.QUEUE),
        unwritten_seconds=settings.fetcher_stall_seconds,
        metrics=metrics,
    )
    return Service(
        name="fetcher",
        queue=FetchPage.QUEUE,
        worker_threads=settings.fetcher_threads,
        loops=(
            Loop("planner", interval_seconds=1, step=planner.turn),
            Loop("sweeper", interval_seconds=2, step=sweeper.turn),
        ),
    )


def main() -> None:
    run_service("fetcher", load(FetcherSettings), build)
