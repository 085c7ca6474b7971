"""Put the fetcher together. The service reads its environment here."""

from functools import partial

from dramatiq import Broker
from sqlalchemy import Engine

from services.fetcher.actors import declare_actors
from services.fetcher.insee.ledger import open_sender
from services.fetcher.lookups import AbsenceWatch
from services.fetcher.loops import Planner, Sweeper
from services.fetcher.settings import FetcherSettings
from services.fetcher.store import ImportStore
from services.fetcher.walk.store import PageStore
from services.fetcher.walk.walker import Walker
from shared.broker import ready_messages
from shared.broker.envelope import publish
from shared.clock import Clock
from shared.db.shards import has_one_database
from shared.messages import FetchPage, WriteSlice
from shared.metrics import Metrics
from shared.runtime.service import Loop, Service, run_service
from shared.settings import load


def build(
    settings: FetcherSettings, *, engine: Engine, broker: Broker, clock: Clock, metrics: Metrics
) -> Service:
    """Declare the actor on the broker and return the service."""
    pages = PageStore(engine)
    broker.declare_queue(WriteSlice.QUEUE)
    send = partial(publish, broker)
    slices_ready = partial(ready_messages, broker, WriteSlice.QUEUE)
    walker = Walker(
        pages=pages,
        sender=open_sender(settings, engine=engine, clock=clock, metrics=metrics),
        publish=send,
        slices_ready=slices_ready,
        metrics=metrics,
        lease_seconds=settings.lease_seconds,
        slot_patience_seconds=settings.fetcher_slot_patience_seconds,
        rows_per_page=settings.insee_rows_per_page,
        max_slices_ready=settings.fetcher_max_slices_ready,
        shards=len(settings.shard_urls),
    )

    declare_actors(broker, walker, time_limit_seconds=settings.lease_seconds)
    planner = Planner(
        ImportStore(engine),
        send,
        walker.count,
        parallel_batches=settings.walkers,
        lease_seconds=settings.lease_seconds,
        informations=walker.ask_informations,
        poll_seconds=settings.fetcher_delta_poll_seconds,
    )
    sweeper = Sweeper(
        pages,
        send,
        pages_ready=partial(ready_messages, broker, FetchPage.QUEUE),
        slices_ready=slices_ready,
        unwritten_seconds=settings.fetcher_stall_seconds,
        metrics=metrics,
    )
    loops = [
        Loop("planner", interval_seconds=1, step=planner.turn),
        Loop("sweeper", interval_seconds=2, step=sweeper.turn),
    ]
    # Certificates, which name the absent ones, know one database only.
    if has_one_database(settings):
        watch = AbsenceWatch(engine, walker.sender, per_day=settings.fetcher_lookups_per_day)
        loops.append(Loop("absences", interval_seconds=60, step=watch.turn))
    return Service(
        name="fetcher",
        queue=FetchPage.QUEUE,
        worker_threads=settings.threads,
        loops=tuple(loops),
    )


def main() -> None:
    settings = load(FetcherSettings)
    # The transactions of a page are short: two threads share a connection.
    connections = max(2, settings.threads // 2)
    run_service("fetcher", settings, build, connections=connections)
