"""A retry or replay by the operator does not bring back an erased unit."""

import time
from collections.abc import Iterator

import dramatiq
import pytest
from sqlalchemy import Engine

from services.operator.failures import letters, retries
from services.writer.actors import declare_actors
from shared.broker import make_broker
from shared.clock import Clock
from shared.metrics import Metrics
from tests.integration.writer.desk import FETCHED_AT, Desk
from tests.integration.writer.records import Records
from tests.integration.writer.scene import BYSTANDER, NATURAL, SIREN, WORDS, Scene
from tests.integration.writer.whole_database import places_of


@pytest.fixture
def erased(desk: Desk, records: Records) -> Scene:
    scene = Scene(desk, records, NATURAL)
    scene.fill()
    scene.turn(scene.masked(1))
    assert places_of(desk.engine, *WORDS) == []
    return scene


@pytest.fixture
def broker(engine: Engine) -> Iterator[dramatiq.Broker]:
    """The queue of slices, with a writer that consumes it."""
    broker = make_broker("memory://")
    declare_actors(broker, engine, Clock(), Metrics(), sole_traders=True)
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=50)
    worker.start()
    yield broker
    worker.stop(timeout=5_000)
    broker.close()


def test_a_retry_brings_nothing_back_even_where_insee_is_behind(erased: Scene) -> None:
    desk = erased.desk
    (item,) = desk.execute(
        "SELECT id, key FROM failed_items WHERE kind = 'write' AND siren = :s", s=SIREN
    )
    with desk.engine.begin() as connection:
        asked = retries.retry([connection], [item["id"]], code=None)
    assert asked.fetched == [item["id"]]
    behind = erased.clear(3)
    assert behind["siret"] == item["key"]
    desk.import_(behind, sirets=[behind["siret"]], departement=None, fetched_at=FETCHED_AT)
    assert places_of(desk.engine, *WORDS) == []
    resolved = desk.one("SELECT resolved_at FROM failed_items WHERE id = :id", id=item["id"])
    assert resolved["resolved_at"] is not None


def test_a_replayed_dead_letter_writes_who_is_left_in_it(
    erased: Scene, broker: dramatiq.Broker
) -> None:
    desk = erased.desk
    (letter,) = desk.execute("SELECT id FROM dead_letters WHERE message_id = 'of both'")
    desk.execute("DELETE FROM slice_receipts WHERE batch_id = 1 AND fetch_id = 1")
    desk.execute("DELETE FROM etablissements WHERE siren = :siren", siren=BYSTANDER)
    replaying = letters.replay_each(desk.engine, [letter["id"]], lambda: broker, again=False)
    assert next(replaying) == (letter["id"], None)
    deadline = time.monotonic() + 30
    while not desk.execute("SELECT 1 FROM etablissements WHERE siren = :s", s=BYSTANDER):
        assert time.monotonic() < deadline, "the replayed slice was not written"
        time.sleep(0.02)
    assert list(replaying) == []
    assert places_of(desk.engine, *WORDS) == []
