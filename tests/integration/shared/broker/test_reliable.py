"""The reliable broker on a healthy RabbitMQ; at most the messages are wrong."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import dramatiq
import orjson
import pika
import pytest
from dramatiq.middleware import CurrentMessage

from shared.broker import (
    BrokerUnavailable,
    DeadLetter,
    QueueFull,
    QueueMismatch,
    ReliableBroker,
    drain_dead_letters,
    is_consuming,
    make_broker,
    ready_messages,
    reliable,
    replay,
    topology,
)
from shared.errors import Rejected, SlowDown
from tests.integration.conftest import StartWorker, WaitFor
from tests.servers.rabbitmq import RunningRabbitmq

_QUEUE = "sirene.test.v1"


@pytest.fixture
def broker(rabbitmq_url: str) -> Iterator[ReliableBroker]:
    broker = make_broker(rabbitmq_url, max_length=20)
    assert isinstance(broker, ReliableBroker)
    broker.declare_queue(_QUEUE)
    yield broker
    broker.close()


def _message(*args: Any) -> dramatiq.Message[Any]:
    return dramatiq.Message(_QUEUE, "act", args, {}, {})


def _declare(broker: dramatiq.Broker, function: Callable[..., None]) -> None:
    dramatiq.actor(broker=broker, actor_name="act", queue_name=_QUEUE)(function)


def test_many_threads_publish_and_every_message_is_ready_and_run_once(
    broker: ReliableBroker, start_worker: StartWorker, wait_for: WaitFor
) -> None:
    def publish(first: int) -> None:
        for number in range(first, first + 4):
            broker.enqueue(_message(number))

    threads = [threading.Thread(target=publish, args=(4 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ready_messages(broker, _QUEUE) == 16

    seen: list[int] = []
    _declare(broker, seen.append)
    start_worker(broker)
    wait_for(lambda: len(seen) >= 16)
    wait_for(lambda: ready_messages(broker, _QUEUE) == 0)
    assert sorted(seen) == list(range(16))


def test_a_failure_is_retried_after_its_backoff_and_a_pause_is_not_counted(
    broker: ReliableBroker, start_worker: StartWorker, wait_for: WaitFor
) -> None:
    runs: list[tuple[float, int]] = []

    def act() -> None:
        message = CurrentMessage.get_current_message()
        assert message is not None
        runs.append((time.monotonic(), message.options.get("retries", 0)))
        if len(runs) == 1:
            raise SlowDown("quota", retry_after_seconds=0.2)
        if len(runs) == 2:
            raise ConnectionError

    _declare(broker, act)
    start_worker(broker)
    broker.enqueue(_message())
    wait_for(lambda: len(runs) == 3)
    assert [retries for _, retries in runs] == [0, 0, 1]
    assert 0.9 < runs[1][0] - runs[0][0] < 3
    assert 0.9 < runs[2][0] - runs[1][0] < 3


def test_a_full_queue_refuses_with_a_pause_and_loses_nothing(broker: ReliableBroker) -> None:
    accepted = 0

    def fill() -> None:
        nonlocal accepted
        while accepted < 100:
            broker.enqueue(_message(accepted))
            accepted += 1

    with pytest.raises(QueueFull) as refused:
        fill()
    assert refused.value.retry_after_seconds > 0
    assert accepted >= 20
    assert ready_messages(broker, _QUEUE) == accepted


def test_dead_letters_leave_only_after_they_were_archived_and_can_be_replayed(
    broker: ReliableBroker, start_worker: StartWorker, wait_for: WaitFor
) -> None:
    runs: list[str] = []

    def act(name: str) -> None:
        runs.append(name)
        if len(runs) == 1:
            raise Rejected("contract")

    _declare(broker, act)
    start_worker(broker)
    broker.enqueue(_message("a"))
    wait_for(lambda: broker.get_queue_message_counts(_QUEUE)[2] == 1)

    def fail(_letter: DeadLetter) -> None:
        raise ConnectionError("no database")

    with pytest.raises(ConnectionError):
        drain_dead_letters(broker, _QUEUE, fail)
    letters: list[DeadLetter] = []
    wait_for(lambda: drain_dead_letters(broker, _QUEUE, letters.append) == 1)
    assert (letters[0].actor, letters[0].queue, letters[0].reason) == ("act", _QUEUE, "rejected")
    assert broker.get_queue_message_counts(_QUEUE)[2] == 0

    replay(broker, _QUEUE, letters[0].body)
    wait_for(lambda: runs == ["a", "a"])


def test_what_cannot_be_decoded_is_dead_lettered_as_it_is(
    broker: ReliableBroker, start_worker: StartWorker, wait_for: WaitFor
) -> None:
    _declare(broker, lambda: None)
    start_worker(broker)
    broker.publish_body(_QUEUE, b"\xffnot a message")
    letters: list[DeadLetter] = []
    wait_for(lambda: drain_dead_letters(broker, _QUEUE, letters.append) == 1)
    assert (letters[0].body, letters[0].actor) == (b"\xffnot a message", None)


_POISON: list[dict[str, Any]] = [
    {"queue_name": "sirene.other.v1"},
    {"queue_name": None},
    {"actor_name": ["act"]},
    {"actor_name": "a\0ct"},
    {"kwargs": None},
    {"kwargs": []},
    {"kwargs": {"x": [[]]}},
    {"options": None},
    {"options": {"throws": "x"}},
    {"options": {"eta": 2**62}},
    {"options": {"retries": "often"}},
    {"message_id": ["x"]},
    {"message_id": "a\0b"},
    {"message_id": "x" * 5000},
    {"message_timestamp": "now"},
]


def test_what_would_kill_a_workers_threads_is_dead_lettered_at_once(
    broker: ReliableBroker, start_worker: StartWorker, wait_for: WaitFor
) -> None:
    """A good message after it is worked on."""
    seen: list[object] = []
    _declare(broker, seen.append)
    for fault in _POISON:
        broker.publish_body(_QUEUE, orjson.dumps({**_message(0).asdict(), **fault}))
    broker.enqueue(_message(1))
    start_worker(broker, threads=1)
    wait_for(lambda: seen == [1], seconds=20)
    letters: list[DeadLetter] = []

    def all_are_dead() -> bool:
        drain_dead_letters(broker, _QUEUE, letters.append)
        return len(letters) >= len(_POISON)

    wait_for(all_are_dead)
    assert {(letter.message_id, letter.reason) for letter in letters} == {(None, "rejected")}
    assert len(letters) == len(_POISON)


def test_a_wait_longer_than_the_longest_rung_goes_through_several(
    broker: ReliableBroker,
    start_worker: StartWorker,
    wait_for: WaitFor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(topology, "RUNG_SECONDS", (1,))
    arrived: list[float] = []
    _declare(broker, lambda: arrived.append(time.monotonic()))
    start_worker(broker)
    sent = time.monotonic()
    broker.enqueue(_message(), delay=2_600)
    wait_for(lambda: arrived)
    assert 2 < arrived[0] - sent < 5


def test_a_stopping_worker_returns_what_it_was_told_to_leave(
    broker: ReliableBroker, start_worker: StartWorker, wait_for: WaitFor
) -> None:
    begun = threading.Event()

    def act() -> None:
        begun.set()
        while True:
            time.sleep(0.01)

    dramatiq.actor(broker=broker, actor_name="act", queue_name=_QUEUE, notify_shutdown=True)(act)
    worker = start_worker(broker)
    broker.enqueue(_message())
    assert begun.wait(10)
    worker.stop()
    wait_for(lambda: ready_messages(broker, _QUEUE) == 1)


def test_a_queue_of_other_arguments_is_refused_in_one_line(
    broker: ReliableBroker, rabbitmq_url: str
) -> None:
    broker.declare_queue(_QUEUE, ensure=True)
    other = ReliableBroker(
        rabbitmq_url, middleware=[], limits=replace(broker.limits, max_length=21)
    )
    with pytest.raises(QueueMismatch, match=f"queue {_QUEUE} exists with other arguments"):
        other.enqueue(_message())
    other.close()


def test_a_server_that_is_away_is_said_so(rabbitmq_url: str) -> None:
    parameters = pika.URLParameters(rabbitmq_url)
    broker = make_broker(f"amqp://guest:guest@127.0.0.1:1/{parameters.virtual_host}")
    with pytest.raises(BrokerUnavailable):
        broker.enqueue(_message())


def test_publishing_survives_connections_closed_by_the_server(
    private_rabbitmq: RunningRabbitmq, private_rabbitmq_url: str
) -> None:
    vhost = private_rabbitmq_url.rsplit("/", 1)[1]
    broker = make_broker(private_rabbitmq_url)
    broker.declare_queue(_QUEUE)
    broker.enqueue(_message(1))
    private_rabbitmq.ctl("close_all_connections", "--vhost", vhost, "test")
    broker.enqueue(_message(2))
    assert ready_messages(broker, _QUEUE) == 2
    broker.close()


@pytest.mark.slow
def test_a_node_out_of_memory_refuses_in_time_and_then_takes_what_is_sent_again(
    private_rabbitmq: RunningRabbitmq, private_rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reliable, "_BLOCKED_SECONDS", 0.5)
    broker = make_broker(private_rabbitmq_url)
    broker.declare_queue(_QUEUE)
    broker.enqueue(_message(1))
    private_rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        with pytest.raises(BrokerUnavailable):
            broker.enqueue(_message(2))
    finally:
        private_rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", "512MB")
    broker.enqueue(_message(2))
    assert ready_messages(broker, _QUEUE) >= 2
    broker.close()


def test_a_queue_that_somebody_made_anew_is_not_consumed_until_it_is_ours_again(
    broker: ReliableBroker,
    rabbitmq_url: str,
    start_worker: StartWorker,
    wait_for: WaitFor,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without its dead letters and confirms it would lose what our consumer rejects."""
    seen: list[int] = []
    _declare(broker, seen.append)
    worker = start_worker(broker)
    broker.enqueue(_message(1))
    wait_for(lambda: seen == [1])
    with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)) as connection:
        channel = connection.channel()
        channel.queue_delete(_QUEUE)
        channel.queue_declare(_QUEUE, durable=True)
        broker.enqueue(_message(2))
        wait_for(lambda: "exists with other arguments" in caplog.text, seconds=20)
        assert not is_consuming(worker)
        assert seen == [1]
        channel.queue_delete(_QUEUE)
        wait_for(lambda: is_consuming(worker), seconds=20)
    broker.enqueue(_message(3))
    wait_for(lambda: seen == [1, 3])
