"""The ledger of requests: each takes a slot, and its status and duration are kept."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, text

from services.fetcher.insee.answers import (
    AnswerT,
    InseeError,
    PageAnswer,
    QueryRefused,
    QuotaExceeded,
)
from services.fetcher.insee.client import InseeClient
from services.fetcher.insee.quota import Quota, Slot
from services.fetcher.settings import FetcherSettings
from shared.clock import Clock
from shared.metrics import Metrics

_RECORD_REQUEST = text("""
    UPDATE insee_requests
    SET http_status = :status, records = :records, duration_seconds = :duration_seconds
    WHERE id = :fetch_id
""")


@dataclass(frozen=True)
class Sender:
    """Sends a request in its slot and keeps what came of it."""

    client: InseeClient
    quota: Quota
    engine: Engine
    metrics: Metrics

    def send(self, slot: Slot, request: Callable[[InseeClient], AnswerT]) -> AnswerT:
        """Send a request, keep its outcome, and follow the limits that its headers name.

        Raises InseeError.
        """
        started_seconds, began_at = time.monotonic(), time.time()
        outcome, status, records = "no_answer", 0, None
        try:
            answer = request(self.client)
            outcome, status = "ok", answer.status
            if isinstance(answer, PageAnswer):
                records = len(answer.records)
                outcome = "ok" if records else "empty"
        except InseeError as error:
            outcome, status = error.outcome, error.status
            if isinstance(error, QuotaExceeded):
                self.metrics.insee_throttled.labels(cause=error.limit).inc()
            elif not isinstance(error, QueryRefused):
                self.metrics.fail_insee(outcome, since=began_at)
            raise
        else:
            self.metrics.fail_insee(None)
        finally:
            duration_seconds = time.monotonic() - started_seconds
            self.metrics.insee_requests.labels(outcome=outcome).inc()
            self.metrics.insee_request_seconds.observe(duration_seconds)
            record = {
                "fetch_id": slot.fetch_id,
                "status": status,
                "records": records,
                "duration_seconds": duration_seconds,
            }
            with self.engine.begin() as connection:
                connection.execute(_RECORD_REQUEST, record)
        self.quota.follow(answer.rate)
        return answer


def open_sender(
    settings: FetcherSettings, *, engine: Engine, clock: Clock, metrics: Metrics
) -> Sender:
    """Make a client and open the quota of its key."""
    key = settings.insee_key.get_secret_value()
    client = InseeClient(
        str(settings.insee_url),
        key,
        timeout_seconds=settings.insee_timeout_seconds,
        pool_size=settings.threads,
        egress=settings.egress,
    )
    quota = Quota(engine, key, clock, metrics)
    quota.open(
        requests_per_minute=settings.insee_requests_per_minute,
        requests_per_hour=settings.insee_requests_per_hour,
    )
    return Sender(client, quota, engine, metrics)
