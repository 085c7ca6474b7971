"""Spoiled messages through RabbitMQ to the services as they are built: none vanishes."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dramatiq
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from services.fetcher.main import build as build_fetcher
from services.fetcher.settings import FetcherSettings
from services.reviewer.main import build as build_reviewer
from services.reviewer.settings import ReviewerSettings
from services.writer.main import build as build_writer
from services.writer.settings import WriterSettings
from shared.broker import ReliableBroker, make_broker
from shared.broker.envelope import publish
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.errors import Rejected
from shared.messages import (
    FETCH_QUEUE,
    REVIEW_QUEUE,
    WRITE_QUEUE,
    FetchPage,
    ReviewAvis,
    WriteSlice,
)
from shared.metrics import Metrics
from shared.runtime.service import Running
from tests.conditions import wait_until
from tests.fuzz.cases import Fuzz
from tests.fuzz.messages import Sent, bodies_of, slice_for, some_records
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records

_RECORDS = Records()
_SHARED_MODELS = [_RECORDS.record(number) for number in range(1, 4)]


class Ends(dramatiq.Middleware):
    """Counts how the messages end that a worker took on."""

    def __init__(self) -> None:
        self.done: dict[str, str] = {}
        self.tried_again: Counter[str] = Counter()

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.done.values())

    def after_process_message(
        self,
        _broker: dramatiq.Broker,
        message: dramatiq.MessageProxy,
        *,
        result: object = None,  # noqa: ARG002  # dramatiq passes it by name
        exception: BaseException | None = None,
    ) -> None:
        if message.message_id.count("-") == 4:
            return  # a UUID: of the services themselves
        if exception is None:
            self.done[message.message_id] = f"worked on: {message.actor_name}"
        elif not isinstance(exception, Rejected):
            self.tried_again[type(exception).__name__] += 1


@contextmanager
def at_work(database_url: str, broker_url: str, ends: Ends) -> Iterator[ReliableBroker]:
    """A fetcher, a writer and a reviewer in this process."""
    clock, metrics = Clock(), Metrics()
    broker = make_broker(broker_url, extra_middleware=[ends])
    assert isinstance(broker, ReliableBroker)
    given: dict[str, Any] = {
        "database_url": SecretStr(database_url),
        "broker_url": SecretStr(broker_url),
    }
    engine = make_engine(database_url, application_name="services", pool_size=10)
    usual: dict[str, Any] = {"engine": engine, "broker": broker, "clock": clock, "metrics": metrics}
    services = [
        build_fetcher(FetcherSettings(**given, insee_key=SecretStr("k")), **usual),
        build_writer(WriterSettings(**given), **usual),
        build_reviewer(ReviewerSettings(**given, metrics_port=0), **usual),
    ]
    running = Running(services, broker, clock, metrics)
    running.start()
    try:
        yield broker
    finally:
        running.stop()
        broker.close()
        engine.dispose()


def _message(desk: Desk, rng: random.Random) -> Sent:
    if (kind := rng.randrange(10)) < 1:
        return FetchPage(rng.randint(1, 9), rng.randint(1, 2))
    if kind < 2:
        return ReviewAvis([rng.randint(1, 99) for _ in range(rng.randint(0, 3))])
    batch = desk.batch(departement=None)
    empty = WriteSlice(batch, 1, desk.fetch(batch), 0, "2026-08-05T12:00:00+00:00", "")
    return slice_for(empty, some_records(_SHARED_MODELS, rng), rng)


@pytest.mark.timeout(900)
def test_each_spoiled_message_is_worked_on_or_archived_and_the_workers_live_on(
    fuzz: Fuzz, engine: Engine, database_url: str, rabbitmq_url: str
) -> None:
    desk, ends = Desk(engine), Ends()
    tally, generators = fuzz.some("messages, through RabbitMQ", 20)
    with at_work(database_url, rabbitmq_url, ends) as broker:
        for rng in generators:
            message = _message(desk, rng)
            broker.declare_queue(message.QUEUE)
            broker.publish_body(message.QUEUE, bodies_of(message, rng))
        wait_until(
            lambda: desk.number("dead_letters") + ends.counts.total() >= len(generators),
            seconds=300,
        )
        for queue in (FETCH_QUEUE, WRITE_QUEUE, REVIEW_QUEUE):
            assert broker.delayed_messages(queue) == 0, ends.tried_again
        _require_a_good_slice(desk, broker)
    archived = desk.execute("SELECT actor, reason, count(*) AS n FROM dead_letters GROUP BY 1, 2")
    assert {row["reason"] for row in archived} <= {"rejected"}
    for row in archived:
        tally.counts[
            f"archived: {'no message' if row['actor'] is None else row['actor'][:20]}"
        ] += row["n"]
    tally.counts += ends.counts
    assert tally.counts.total() == len(generators)
    _require_counts(desk)


def _require_a_good_slice(desk: Desk, broker: ReliableBroker) -> None:
    batch = desk.batch()
    good = _RECORDS.record(777)
    publish(broker, desk.message([good], batch=batch, fetch_id=desk.fetch(batch)))
    wait_until(lambda: good["siret"] in desk.sirets(), seconds=60)
    wait_until(lambda: desk.batch_row(batch)["status"] == "complete", seconds=60)


def _require_counts(desk: Desk) -> None:
    """Each record that was received is a row, or a failed item of its batch."""
    [odd] = desk.execute("""SELECT count(*) AS n FROM import_batches
      WHERE received <> inserted + updated + unchanged + failed""")
    assert odd["n"] == 0
    [open_] = desk.execute("""SELECT count(*) AS n FROM import_batches b
      JOIN slice_receipts r ON r.batch_id = b.id WHERE b.status <> 'complete'""")
    assert open_["n"] == 0
