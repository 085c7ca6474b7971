"""What a person asks INSEE and waits for: plans, certificates, single numbers, links.

Under the quota of all, and without a broker: nothing here imports anything.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from services.fetcher.certificates.certifier import Certifier, Walk
from services.fetcher.certificates.store import CertificateStore
from services.fetcher.commands.lookup_store import LookedUp, record, unlisted_sirets
from services.fetcher.commands.succession_store import Received, store_links
from services.fetcher.insee.ledger import Sender, make_client, open_quota
from services.fetcher.insee.patient_client import Inquirer
from services.fetcher.plan.costs import ImportForecast, cost_of
from services.fetcher.plan.deltas import Decision, DeltaOrder, NoWatermark, decide, make_delta_plan
from services.fetcher.plan.page_end import FIRST_CURSOR
from services.fetcher.plan.windows import PlannedBatch, make_plan
from services.fetcher.settings import FetcherSettings
from services.fetcher.store import ImportStore, Watermarks
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.migrate import require_current
from shared.db.shards import require_one_database
from shared.errors import UserError
from shared.imports.scope import Scope
from shared.metrics import Metrics


@dataclass(frozen=True)
class _Desk:
    """Everything in it raises UserError where INSEE refuses, or gives no answer."""

    engine: Engine
    inquirer: Inquirer
    rows_per_page: int
    per_minute: float

    def forecast(self, plan: Sequence[PlannedBatch]) -> ImportForecast:
        cost = cost_of(plan, rows_per_page=self.rows_per_page, per_minute=self.per_minute)
        return ImportForecast(plan, cost, counts=self.inquirer.requests)


@contextmanager
def _desk(settings: FetcherSettings, clock: Clock) -> Iterator[_Desk]:
    engine = make_engine(
        settings.database_url.get_secret_value(),
        application_name="sirenade-ask",
        pool_size=2,
        # Counting what is stored of the whole register takes as long as it takes.
        statement_timeout_seconds=0,
    )
    try:
        with engine.connect() as connection:
            require_current(connection)
        store, metrics = ImportStore(engine), Metrics()
        quota = open_quota(settings, engine=engine, clock=clock, metrics=metrics)
        inquirer = Inquirer(
            quota=quota,
            client=make_client(settings),
            sender=Sender(quota, engine, metrics),
            clock=clock,
        )
        per_minute = store.requests_per_minute() or settings.insee_requests_per_minute
        yield _Desk(engine, inquirer, settings.insee_rows_per_page, per_minute)
    finally:
        engine.dispose()


def forecast(settings: FetcherSettings, scope: Scope, row_limit: int | None) -> ImportForecast:
    """Plan a scope as the service would, by counts."""
    with _desk(settings, Clock()) as desk:
        return desk.forecast(
            make_plan(
                scope,
                row_limit=row_limit,
                walkers=settings.walkers,
                count=desk.inquirer.count,
            )
        )


def forecast_delta(settings: FetcherSettings, order: DeltaOrder) -> tuple[ImportForecast, Decision]:
    """Plan a delta as the service would, without its wait for INSEE.

    Raises UserError where a date is missing.
    """
    with _desk(settings, Clock()) as desk:
        insee = desk.inquirer.informations()
        try:
            decision = decide(order, insee.collections, Watermarks(desk.engine).read())
        except NoWatermark as error:
            raise UserError(str(error)) from None
        plan = make_delta_plan(decision.windows, count=desk.inquirer.count)
        return desk.forecast(plan), decision


@contextmanager
def certifier(
    settings: FetcherSettings,
    *,
    clock: Clock,
    say: Callable[[str], None],
    show: Callable[[Walk], None],
) -> Iterator[Certifier]:
    require_one_database(settings)
    with _desk(settings, clock) as desk:
        yield Certifier(
            store=CertificateStore(desk.engine),
            inquirer=desk.inquirer,
            rows_per_page=desk.rows_per_page,
            per_minute=desk.per_minute,
            say=say,
            show=show,
        )


def look_up(
    settings: FetcherSettings, numbers: Sequence[str], *, unlisted: bool
) -> Iterator[LookedUp]:
    """Ask what became of these numbers, and of the unlisted ones; record what INSEE says."""
    if unlisted:
        require_one_database(settings)
    with _desk(settings, Clock()) as desk:
        wanted = [*numbers, *(unlisted_sirets(desk.engine) if unlisted else [])]
        for number in dict.fromkeys(wanted):
            yield record(desk.engine, number, desk.inquirer.one(number))


def import_successions(settings: FetcherSettings, query: str) -> Iterator[Received]:
    """Walk the links that the query finds, and store each page; yield how far that is."""
    with _desk(settings, Clock()) as desk:
        cursor, received = FIRST_CURSOR, 0
        while True:
            answer = desk.inquirer.successions(query, nombre=desk.rows_per_page, curseur=cursor)
            stored, bad = store_links(desk.engine, answer.records)
            received += len(answer.records)
            yield Received(received, answer.total, stored, bad)
            if answer.next_cursor in {None, cursor}:
                return
            cursor = str(answer.next_cursor)
