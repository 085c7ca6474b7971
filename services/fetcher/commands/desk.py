"""The desk of the commands that ask INSEE and wait for its answers, under the shared quota.

It needs no broker.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from services.fetcher.insee.ledger import open_sender
from services.fetcher.insee.patient_client import Inquirer
from services.fetcher.settings import FetcherSettings
from services.fetcher.store import ImportStore
from shared.clock import Clock
from shared.db.revision import current_engine
from shared.metrics import Metrics


@dataclass(frozen=True)
class Desk:
    """The connections of a command; `per_minute` is the present quota in requests."""

    engine: Engine
    inquirer: Inquirer
    rows_per_page: int
    per_minute: float


@contextmanager
def open_desk(settings: FetcherSettings, clock: Clock) -> Iterator[Desk]:
    # No time limit: a count of the stored register takes minutes.
    with current_engine(
        settings.database_url.get_secret_value(),
        application_name="sirenade-ask",
        pool_size=2,
        statement_timeout_seconds=0,
    ) as engine:
        sender = open_sender(settings, engine=engine, clock=clock, metrics=Metrics())
        per_minute = ImportStore(engine).requests_per_minute() or settings.insee_requests_per_minute
        yield Desk(engine, Inquirer(sender, clock), settings.insee_rows_per_page, per_minute)
