"""A lost connection keeps nothing of a page that was about to be published."""

import gc
import logging
import tracemalloc
from collections.abc import Iterator

import pytest

from shared.broker import BrokerUnavailable, ReliableBroker, make_broker

PAGE_BYTES = 1_000_000
LOSSES = 50


@pytest.fixture
def broker() -> Iterator[ReliableBroker]:
    broker = make_broker("amqp://guest:guest@127.0.0.1:1/test")
    assert isinstance(broker, ReliableBroker)
    yield broker
    broker.close()


@pytest.fixture
def traced() -> Iterator[None]:
    """Count the memory of Python's objects while nothing collects cycles, and no log keeps any."""
    logging.disable(logging.CRITICAL)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.enable()
    logging.disable(logging.NOTSET)


def _lose_one(broker: ReliableBroker) -> None:
    with pytest.raises(BrokerUnavailable):
        broker.publish_body("sirene.test.v1", bytes(PAGE_BYTES))


@pytest.mark.usefixtures("traced")
def test_a_page_that_could_not_be_published_is_freed_at_once(broker: ReliableBroker) -> None:
    _lose_one(broker)
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(LOSSES):
        _lose_one(broker)
    after, _ = tracemalloc.get_traced_memory()
    assert after - before < 3 * PAGE_BYTES
