"""Avis of two databases under one high-water mark, each written where it lives."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from services.reviewer.actors import ShardReviewer, declare_actors
from services.reviewer.relay import Relay
from services.reviewer.texts.author import Author
from shared.broker import MemoryBroker, make_broker
from shared.broker.envelope import publish
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.messages import ReviewAvis
from shared.metrics import Metrics
from shared.runtime.service import Running, Service
from tests.integration.conftest import WaitFor
from tests.integration.reviewer.conftest import Register

pytestmark = pytest.mark.parametrize("shard_urls", [2], indirect=True)


@pytest.fixture
def registers(engine: Engine, shard_urls: tuple[str, ...]) -> Iterator[list[Register]]:
    second = make_engine(shard_urls[1], application_name="test", pool_size=10)
    yield [Register(engine), Register(second)]
    second.dispose()


def _relay(registers: list[Register], messages: list[ReviewAvis], high_water: int) -> Relay:
    return Relay(
        engine=registers[0].engine,
        shards=[register.engine for register in registers],
        publish=messages.append,
        clock=Clock(),
        metrics=Metrics(),
        high_water=high_water,
        stall_seconds=900,
    )


def test_one_high_water_mark_is_shared_out_over_the_shards(registers: list[Register]) -> None:
    many, few = registers[0].add(range(1, 101)), registers[1].add(range(1, 6))
    messages: list[ReviewAvis] = []
    relay = _relay(registers, messages, high_water=60)
    relay.step()
    sent = Counter({0: 0, 1: 0})
    for message in messages:
        sent[message.shard] += len(message.avis_ids)
        assert set(message.avis_ids) <= set(many if message.shard == 0 else few)
    assert sent == {0: 25, 1: 5}, "the second shard does not wait for the end of the first"
    for _ in range(6):
        relay.step()
    assert sum(len(message.avis_ids) for message in messages) == 45, "the rest is no full message"


def test_avis_are_written_in_their_own_shard(
    registers: list[Register],
    author: Author,
    clock: Clock,
    metrics: Metrics,
    wait_for: WaitFor,
) -> None:
    ids = [
        register.add(range(start, start + 30))
        for start, register in zip((1, 101), registers, strict=True)
    ]
    broker = make_broker("memory://")
    generators = ThreadPoolExecutor(4)
    reviewers = [
        ShardReviewer(
            engine=register.engine,
            generators=generators,
            author=author,
            clock=clock,
            metrics=metrics,
            lease_seconds=60,
            sole_traders=False,
        )
        for register in registers
    ]
    declare_actors(broker, *reviewers)
    running = Running(
        [Service("reviewer", ReviewAvis.QUEUE, worker_threads=2)], broker, clock, metrics
    )
    running.start()
    relay = Relay(
        engine=registers[0].engine,
        shards=[register.engine for register in registers],
        publish=lambda message: publish(broker, message),
        clock=clock,
        metrics=metrics,
        high_water=1000,
        stall_seconds=900,
    )
    relay.step()
    query = "SELECT id FROM avis WHERE outcome = 'accepted' ORDER BY id"
    wait_for(lambda: all(len(each.rows(query)) == 30 for each in registers), seconds=30)
    running.stop()
    generators.shutdown()
    assert [[row["id"] for row in each.rows(query)] for each in registers] == ids
    attempts = "SELECT avis_id FROM avis_attempts ORDER BY 1"
    assert [[row["avis_id"] for row in each.rows(attempts)] for each in registers] == ids
    broker.close()


def test_a_message_for_a_shard_that_is_not_there_is_rejected(
    registers: list[Register],
    author: Author,
    clock: Clock,
    metrics: Metrics,
    wait_for: WaitFor,
) -> None:
    broker = make_broker("memory://")
    assert isinstance(broker, MemoryBroker)
    reviewer = ShardReviewer(
        engine=registers[0].engine,
        generators=ThreadPoolExecutor(1),
        author=author,
        clock=clock,
        metrics=metrics,
        lease_seconds=60,
        sole_traders=False,
    )
    declare_actors(broker, reviewer)
    running = Running(
        [Service("reviewer", ReviewAvis.QUEUE, worker_threads=1)], broker, clock, metrics
    )
    running.start()
    publish(broker, ReviewAvis([1], shard=1))
    wait_for(lambda: len(broker.dead_letter_bodies[ReviewAvis.QUEUE]) == 1)
    running.stop()
    reviewer.generators.shutdown()
    broker.close()
