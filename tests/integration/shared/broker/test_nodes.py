"""Several nodes of a broker: one whose name is gone does not keep the others from being asked."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import dramatiq
import pytest

from services.operator.monitoring.queues import QueueReader
from shared.broker import BrokerUnavailable, ReliableBroker, make_broker, ready_messages
from shared.http.egress import Egress
from tests.integration.conftest import StartWorker, WaitFor

_QUEUE = "sirene.test.v1"
# RFC 6761: it never resolves.
_GONE = "gone.invalid"


def _closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _with_gone(url: str) -> str:
    """Return the URL of a cluster whose first and last node have taken their names with them."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    gone = parts._replace(netloc=f"{login}@{_GONE}:{parts.port}").geturl()
    killed = parts._replace(netloc=f"{login}@127.0.0.1:{_closed_port()}").geturl()
    return f"{gone};{killed};{url};{gone}"


@pytest.fixture
def broker(rabbitmq_url: str) -> Iterator[ReliableBroker]:
    broker = make_broker(_with_gone(rabbitmq_url))
    assert isinstance(broker, ReliableBroker)
    broker.declare_queue(_QUEUE)
    yield broker
    broker.close()


def test_messages_are_published_and_consumed_by_the_node_that_is_left(
    broker: ReliableBroker, start_worker: StartWorker, wait_for: WaitFor
) -> None:
    for number in range(8):
        broker.enqueue(dramatiq.Message(_QUEUE, "act", (number,), {}, {}))
        # Each time by a connection of its own.
        del broker.connection
    seen: list[int] = []
    dramatiq.actor(broker=broker, actor_name="act", queue_name=_QUEUE)(seen.append)
    start_worker(broker)
    wait_for(lambda: sorted(seen) == list(range(8)))
    wait_for(lambda: ready_messages(broker, _QUEUE) == 0)


def test_a_cluster_that_is_gone_is_told_as_such() -> None:
    broker = make_broker(f"amqp://{_GONE};amqp://{_GONE}:5673")
    with pytest.raises(BrokerUnavailable):
        ready_messages(broker, _QUEUE)


def test_the_monitor_asks_the_node_that_is_left(broker: ReliableBroker, rabbitmq_url: str) -> None:
    ready_messages(broker, _QUEUE)
    assert QueueReader(_with_gone(rabbitmq_url), "", Egress()).read().note is None
