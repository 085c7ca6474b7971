"""The writer put together: messages in, rows, metrics and archived dead letters out."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from services.writer.main import build
from services.writer.settings import WriterSettings
from shared.broker import MemoryBroker, make_broker
from shared.broker.envelope import publish
from shared.clock import Clock
from shared.messages import WRITE_QUEUE, FetchPage
from shared.metrics import Metrics
from shared.runtime.service import Running, Service
from tests.conditions import wait_until
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records

ON_TWO_SHARDS = True


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def broker() -> Iterator[MemoryBroker]:
    broker = make_broker("memory://")
    assert isinstance(broker, MemoryBroker)
    yield broker
    broker.close()


@pytest.fixture
def service(
    engine: Engine, shard_urls: tuple[str, ...], broker: MemoryBroker, metrics: Metrics
) -> Iterator[Service]:
    settings = WriterSettings(
        database_url=SecretStr(shard_urls[0]),
        shard_database_urls=SecretStr(",".join(shard_urls)),
        broker_url=SecretStr("memory://"),
    )
    clock = Clock()
    service = build(settings, engine=engine, broker=broker, clock=clock, metrics=metrics)
    running = Running([service], broker, clock, metrics)
    running.start()
    yield service
    running.stop()


def _count(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0


def test_a_published_slice_is_written_and_counted(
    desk: Desk, records: Records, broker: MemoryBroker, metrics: Metrics, service: Service
) -> None:
    assert service.queue == WRITE_QUEUE
    batch = desk.batch()
    bad = records.record(2, unite={"nouvelleCle": 1})
    good = records.record(1, unite={"nouvelleCle": 1})
    bad["siret"] = "x"
    message = desk.message([good, bad], batch=batch, fetch_id=desk.fetch(batch))
    parts = desk.parts(message)
    for part in (*parts, *parts):
        publish(broker, part)
    skipped = "sirenade_slices_skipped_total"
    wait_until(lambda: _count(metrics, skipped, cause="already_written") == len(parts))
    assert desk.sirets() == [good["siret"]]
    assert _count(metrics, "sirenade_rows_written_total", outcome="inserted") == 1
    assert _count(metrics, "sirenade_rows_written_total", outcome="failed") == 1
    assert _count(metrics, "sirenade_unknown_keys_total") == 1
    wait_until(lambda: desk.number("schema_drift") == 1)
    assert desk.one("SELECT key, batch_id FROM schema_drift") == {
        "key": "unite.nouvelleCle",
        "batch_id": batch,
    }


def test_dead_letters_of_every_queue_are_archived(
    desk: Desk, records: Records, broker: MemoryBroker, service: Service
) -> None:
    batch = desk.batch()
    message = desk.message([records.record()], batch=batch, fetch_id=desk.fetch(batch))
    broken = type(message)(**{**message.to_wire(), "records": "["})
    publish(broker, broken)
    wait_until(lambda: len(broker.dead_letter_bodies[WRITE_QUEUE]) == 1)
    broker.declare_queue(FetchPage.QUEUE)
    broker.dead_letter_bodies[FetchPage.QUEUE].append(b"no message at all")
    archive, *_ = service.loops
    archive.step()
    archive.step()
    rows = desk.execute("SELECT * FROM dead_letters ORDER BY queue")
    assert [(row["queue"], row["actor"]) for row in rows] == [
        (FetchPage.QUEUE, None),
        (WRITE_QUEUE, "write_slice"),
    ]
    assert bytes(rows[0]["body"]) == b"no message at all"
    assert not broker.dead_letter_bodies[WRITE_QUEUE]
