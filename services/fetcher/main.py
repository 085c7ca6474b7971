"""Puts the fetcher together; the only module of it that reads the environment."""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import dramatiq
from sqlalchemy import Engine

from services.fetcher.actors import BrokerPublisher, declare_actors
from services.fetcher.certificates import CertificateStore, show_gaps
from services.fetcher.certifying import Certifier, Walk
from services.fetcher.costs import Forecast, cost_of
from services.fetcher.deltas import (
    Decision,
    DeltaOrder,
    NoWatermark,
    decide,
    make_delta_plan,
)
from services.fetcher.envelope import InseeError, QuotaExceeded
from services.fetcher.inquiring import Inquirer
from services.fetcher.insee import InseeClient
from services.fetcher.lookups import LookedUp, record, unlisted_sirets
from services.fetcher.loops import Planner, Sweeper
from services.fetcher.quota import Quota
from services.fetcher.settings import FetcherSettings
from services.fetcher.store import ImportStore
from services.fetcher.successions import FIRST_CURSOR, Received, store_links
from services.fetcher.walking import Pace, Walker
from services.fetcher.watermarks import Watermarks
from services.fetcher.windows import PlannedBatch, Scope, make_plan
from shared.broker import make_broker, ready_messages
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.migrate import require_current
from shared.db.shards import require_one_database
from shared.errors import SlowDown, UserError
from shared.messages import FetchPage, WriteSlice
from shared.metrics import Metrics
from shared.service import Loop, Service, run_service
from shared.settings import load

AnswerT = TypeVar("AnswerT")


def _pace(settings: FetcherSettings) -> Pace:
    return Pace(
        request_timeout_seconds=settings.insee_timeout_seconds,
        slot_patience_seconds=settings.fetcher_slot_patience_seconds,
        rows_per_page=settings.insee_rows_per_page,
        max_slices_ready=settings.fetcher_max_slices_ready,
    )


def _quota(settings: FetcherSettings, *, engine: Engine, clock: Clock, metrics: Metrics) -> Quota:
    quota = Quota(engine, settings.insee_key.get_secret_value(), clock, metrics)
    quota.open(
        requests_per_minute=settings.insee_requests_per_minute,
        requests_per_hour=settings.insee_requests_per_hour,
    )
    return quota


def _client(settings: FetcherSettings) -> InseeClient:
    return InseeClient(
        str(settings.insee_url),
        settings.insee_key.get_secret_value(),
        timeout_seconds=settings.insee_timeout_seconds,
        pool_size=settings.threads,
    )


def _walker(
    settings: FetcherSettings,
    *,
    engine: Engine,
    broker: dramatiq.Broker,
    clock: Clock,
    metrics: Metrics,
) -> Walker:
    return Walker(
        store=ImportStore(engine),
        quota=_quota(settings, engine=engine, clock=clock, metrics=metrics),
        client=_client(settings),
        publisher=BrokerPublisher(broker),
        slices_ready=lambda: ready_messages(broker, WriteSlice.QUEUE),
        pace=_pace(settings),
        metrics=metrics,
        shards=len(settings.shard_urls),
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
    watermarks = Watermarks(engine)
    planner = Planner(
        store,
        publisher,
        walker.count,
        parallel_batches=settings.walkers,
        lease_seconds=pace.lease_seconds,
        watermarks=watermarks,
        informations=walker.ask_informations,
        poll_seconds=settings.fetcher_delta_poll_seconds,
    )
    sweeper = Sweeper(
        store=store,
        publisher=publisher,
        pages_ready=lambda: ready_messages(broker, FetchPage.QUEUE),
        slices_ready=lambda: ready_messages(broker, WriteSlice.QUEUE),
        unwritten_seconds=settings.fetcher_stall_seconds,
        metrics=metrics,
    )
    certificates = CertificateStore(engine)
    return Service(
        name="fetcher",
        queue=FetchPage.QUEUE,
        worker_threads=settings.threads,
        loops=(
            Loop("planner", interval_seconds=1, step=planner.turn),
            Loop("sweeper", interval_seconds=2, step=sweeper.turn),
            Loop("freshness", interval_seconds=60, step=lambda: watermarks.show(metrics)),
            Loop(
                "certificates", interval_seconds=60, step=lambda: show_gaps(certificates, metrics)
            ),
        ),
    )


def main() -> None:
    settings = load(FetcherSettings)
    # A page's transactions are short: threads take turns, two to a connection.
    connections = max(2, settings.threads // 2)
    run_service("fetcher", settings, build, connections=connections)


@dataclass(frozen=True)
class _Asking:
    """Requests under the quota of all, as often as it takes; `sent` counts them."""

    walker: Walker
    engine: Engine
    sent: list[int] = field(default_factory=lambda: [0])

    def count(self, query: str) -> int:
        return self.patiently(lambda: self.walker.count(query))

    def patiently(self, request: Callable[[], AnswerT]) -> AnswerT:
        """Raises UserError where INSEE refuses, or gives no answer."""
        while True:
            self.sent[0] += 1
            try:
                return request()
            except (SlowDown, QuotaExceeded):
                # Others have the slots for now; the quota makes the next attempt wait.
                continue
            except InseeError as error:
                raise UserError(str(error)) from None

    def forecast(self, plan: Sequence[PlannedBatch], settings: FetcherSettings) -> Forecast:
        per_minute = ImportStore(self.engine).requests_per_minute()
        cost = cost_of(
            plan,
            rows_per_page=settings.insee_rows_per_page,
            per_minute=per_minute or settings.insee_requests_per_minute,
        )
        return Forecast(plan, cost, counts=self.sent[0])


@contextmanager
def _asking(settings: FetcherSettings) -> Iterator[_Asking]:
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
    yield _Asking(walker, engine)
    engine.dispose()


def forecast(settings: FetcherSettings, scope: Scope, row_limit: int | None) -> Forecast:
    """Plan a scope as the service would, by counts under the quota of all, and import nothing.

    Raises UserError where INSEE refuses, or gives no answer.
    """
    with _asking(settings) as asking:
        walkers = settings.walkers
        plan = make_plan(scope, row_limit=row_limit, walkers=walkers, count=asking.count)
        return asking.forecast(plan, settings)


def forecast_delta(settings: FetcherSettings, order: DeltaOrder) -> tuple[Forecast, Decision]:
    """Plan a delta as the service would, without its wait for INSEE, and import nothing.

    Raises UserError where INSEE refuses, or gives no answer, and where a date is missing.
    """
    with _asking(settings) as asking:
        insee = asking.patiently(asking.walker.ask_informations)
        try:
            decision = decide(order, insee.collections, Watermarks(asking.engine).read())
        except NoWatermark as error:
            raise UserError(str(error)) from None
        plan = make_delta_plan(decision.windows, count=asking.count)
        return asking.forecast(plan, settings), decision


@contextmanager
def certifier(
    settings: FetcherSettings,
    *,
    clock: Clock,
    say: Callable[[str], None],
    show: Callable[[Walk], None],
) -> Iterator[Certifier]:
    """Compare under the quota of all, without a broker: who certifies imports nothing."""
    require_one_database(settings)
    engine = make_engine(
        settings.database_url.get_secret_value(),
        application_name="sirenade-certify",
        pool_size=2,
        # Counting the whole register takes as long as it takes.
        statement_timeout_seconds=0,
    )
    try:
        with engine.connect() as connection:
            require_current(connection)
        store = ImportStore(engine)
        quota = _quota(settings, engine=engine, clock=clock, metrics=Metrics())
        yield Certifier(
            store=CertificateStore(engine),
            inquirer=Inquirer(quota=quota, client=_client(settings), store=store, clock=clock),
            rows_per_page=settings.insee_rows_per_page,
            per_minute=store.requests_per_minute() or settings.insee_requests_per_minute,
            say=say,
            show=show,
        )
    finally:
        engine.dispose()


def look_up(
    settings: FetcherSettings, numbers: Sequence[str], *, unlisted: bool
) -> Iterator[LookedUp]:
    """Ask INSEE what became of these numbers, and of the unlisted ones; record what it says.

    Raises UserError where INSEE refuses, or gives no answer.
    """
    if unlisted:
        require_one_database(settings)
    with _asking(settings) as asking:
        wanted = [*numbers, *(unlisted_sirets(asking.engine) if unlisted else [])]
        for number in dict.fromkeys(wanted):
            answer = asking.patiently(functools.partial(asking.walker.ask_one, number))
            yield record(asking.engine, number, answer)


def import_successions(settings: FetcherSettings, query: str) -> Iterator[Received]:
    """Walk the links that the query finds, and store each page; yield how far that is.

    Raises UserError where INSEE refuses, or gives no answer.
    """
    with _asking(settings) as asking:
        cursor, received = FIRST_CURSOR, 0
        while True:
            page = functools.partial(asking.walker.ask_successions, query, cursor)
            answer = asking.patiently(page)
            stored, bad = store_links(asking.engine, answer.records)
            received += len(answer.records)
            yield Received(received, answer.total, stored, bad)
            if answer.next_cursor in {None, cursor}:
                return
            cursor = str(answer.next_cursor)
