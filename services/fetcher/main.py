"""Puts the fetcher together; the only module of it that reads the environment."""

import itertools

import dramatiq
from sqlalchemy import Engine

from services.fetcher.actors import BrokerPublisher, declare_actors
from services.fetcher.costs import Forecast, cost_of
from services.fetcher.insee import InseeClient, InseeError, QuotaExceeded
from services.fetcher.loops import Planner, Sweeper
from services.fetcher.quota import Quota
from services.fetcher.settings import FetcherSettings
from services.fetcher.store import ImportStore
from services.fetcher.walking import Pace, Walker
from services.fetcher.windows import Scope, make_plan
from shared.broker import make_broker, ready_messages
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.migrate import require_current
from shared.errors import SlowDown, UserError
from shared.messages import FetchPage, WriteSlice
from shared.metrics import Metrics
from shared.service import Loop, Service, run_service
from shared.settings import load


def _pace(settings: FetcherSettings) -> Pace:
    return Pace(
        request_timeout_seconds=settings.insee_timeout_seconds,
        slot_patience_seconds=settings.fetcher_slot_patience_seconds,
        rows_per_page=settings.insee_rows_per_page,
        max_slices_ready=settings.fetcher_max_slices_ready,
    )


def _walker(
    settings: FetcherSettings,
    *,
    engine: Engine,
    broker: dramatiq.Broker,
    clock: Clock,
    metrics: Metrics,
) -> Walker:
    quota = Quota(engine, settings.insee_key.get_secret_value(), clock, metrics)
    quota.open(
        requests_per_minute=settings.insee_requests_per_minute,
        requests_per_hour=settings.insee_requests_per_hour,
    )
    return Walker(
        store=ImportStore(engine),
        quota=quota,
        client=InseeClient(
            str(settings.insee_url),
            settings.insee_key.get_secret_value(),
            timeout_seconds=settings.insee_timeout_seconds,
            pool_size=settings.threads,
        ),
        publisher=BrokerPublisher(broker),
        slices_ready=lambda: ready_messages(broker, WriteSlice.QUEUE),
        pace=_pace(settings),
        metrics=metrics,
    )


def build(
    settings: FetcherSettings,
    *,
    engine: Engine,
    broker: dramatiq.Broker,
    clock: Clock,
    metrics: Metrics,
) -> Service:
    """Declare the fetcher's actor on the broker and return what runs it."""
    pace = _pace(settings)
    store = ImportStore(engine)
    publisher = BrokerPublisher(broker)
    broker.declare_queue(WriteSlice.QUEUE)
    walker = _walker(settings, engine=engine, broker=broker, clock=clock, metrics=metrics)
    declare_actors(broker, walker, time_limit_seconds=pace.lease_seconds)
    planner = Planner(
        store,
        publisher,
        walker.count,
        parallel_batches=settings.walkers,
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
        worker_threads=settings.threads,
        loops=(
            Loop("planner", interval_seconds=1, step=planner.turn),
            Loop("sweeper", interval_seconds=2, step=sweeper.turn),
        ),
    )


def main() -> None:
    settings = load(FetcherSettings)
    # A page's transactions are short: threads take turns, two to a connection.
    connections = max(2, settings.threads // 2)
    run_service("fetcher", settings, build, connections=connections)


def forecast(settings: FetcherSettings, scope: Scope, row_limit: int | None) -> Forecast:
    """Plan a scope as the service would, by counts under the quota of all, and import nothing.

    Raises UserError where INSEE refuses, or gives no answer.
    """
    engine = make_engine(
        settings.database_url.get_secret_value(), application_name="sirenade-plan", pool_size=1
    )
    with engine.connect() as connection:
        require_current(connection)
    walker = _walker(
        settings,
        engine=engine,
        broker=make_broker(settings.broker_url.get_secret_value()),
        clock=Clock(),
        metrics=Metrics(),
    )
    store = ImportStore(engine)
    counts = itertools.count()

    def count(query: str) -> int:
        while True:
            next(counts)
            try:
                return walker.count(query)
            except (SlowDown, QuotaExceeded):
                # Others have the slots for now; the quota makes the next attempt wait.
                continue
            except InseeError as error:
                raise UserError(str(error)) from None

    plan = make_plan(scope, row_limit=row_limit, walkers=settings.walkers, count=count)
    cost = cost_of(
        plan,
        rows_per_page=settings.insee_rows_per_page,
        per_minute=store.requests_per_minute() or settings.insee_requests_per_minute,
    )
    engine.dispose()
    return Forecast(plan, cost, counts=next(counts))
