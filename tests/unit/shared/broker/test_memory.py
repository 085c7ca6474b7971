"""The broker inside one process does the work of RabbitMQ, but does not survive the process."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import dramatiq
import pytest

from shared.broker import (
    DeadLetter,
    MemoryBroker,
    QueueFull,
    drain_dead_letters,
    make_broker,
    ready_messages,
    replay,
)
from shared.errors import Rejected, SlowDown, UserError

_QUEUE = "sirene.test.v1"
Send = Callable[..., None]


@pytest.fixture
def broker() -> Iterator[MemoryBroker]:
    broker = make_broker("memory://", max_length=3)
    assert isinstance(broker, MemoryBroker)
    broker.declare_queue(_QUEUE)
    yield broker
    broker.close()


@pytest.fixture
def work(broker: MemoryBroker) -> Iterator[Callable[[Callable[..., None]], Send]]:
    """Declare the actor and start a worker; return the function that sends a message."""
    workers: list[dramatiq.Worker] = []

    def start(function: Callable[..., None]) -> Send:
        actor: dramatiq.Actor[Any, Any] = dramatiq.actor(
            broker=broker, actor_name="act", queue_name=_QUEUE
        )(function)
        worker = dramatiq.Worker(broker, worker_threads=2, worker_timeout=20)
        worker.start()
        workers.append(worker)

        def send(*args: Any, delay: int | None = None) -> None:
            actor.send_with_options(args=args, delay=delay)

        return send

    yield start
    for worker in workers:
        worker.stop()


def _message(number: int) -> dramatiq.Message[Any]:
    return dramatiq.Message(_QUEUE, "act", (number,), {}, {})


def test_a_message_that_fails_is_tried_again_until_it_succeeds(
    work: Callable[[Callable[..., None]], Send],
) -> None:
    runs: list[float] = []
    done = threading.Event()

    def act() -> None:
        runs.append(time.monotonic())
        if len(runs) < 2:
            raise ConnectionError
        done.set()

    work(act)()
    assert done.wait(5)
    assert 0.9 < runs[1] - runs[0] < 3


def test_a_pause_counts_no_attempt(
    work: Callable[[Callable[..., None]], Send],
) -> None:
    retries: list[object] = []
    done = threading.Event()

    def act() -> None:
        message = dramatiq.middleware.CurrentMessage.get_current_message()
        assert message is not None
        retries.append(message.options.get("retries"))
        if len(retries) < 3:
            raise SlowDown("quota", retry_after_seconds=0.01)
        done.set()

    work(act)()
    assert done.wait(5)
    assert retries == [None, 0, 0]


def test_short_delays_are_not_held_back_by_long_ones(
    broker: MemoryBroker, work: Callable[[Callable[..., None]], Send]
) -> None:
    done = threading.Event()

    def act(name: str) -> None:
        if name == "short":
            done.set()

    send = work(act)
    for _ in range(50):
        send("long", delay=60_000)
    send("short", delay=100)
    assert done.wait(2)
    assert broker.delayed_messages(_QUEUE) == 50


def test_a_rejected_message_waits_as_a_dead_letter_and_can_be_replayed(
    broker: MemoryBroker, work: Callable[[Callable[..., None]], Send]
) -> None:
    runs: list[int] = []
    replayed = threading.Event()

    def act(number: int) -> None:
        runs.append(number)
        if len(runs) == 1:
            raise Rejected("contract")
        replayed.set()

    work(act)(7)
    letters: list[DeadLetter] = []
    deadline = time.monotonic() + 5
    while not drain_dead_letters(broker, _QUEUE, letters.append):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert [(letter.actor, letter.reason) for letter in letters] == [("act", "rejected")]
    assert drain_dead_letters(broker, _QUEUE, letters.append) == 0

    replay(broker, _QUEUE, letters[0].body)
    assert replayed.wait(5)
    assert runs == [7, 7]


def test_a_dead_letter_stays_when_it_cannot_be_archived(
    broker: MemoryBroker, work: Callable[[Callable[..., None]], Send]
) -> None:
    def act() -> None:
        raise Rejected("contract")

    def fail(_letter: DeadLetter) -> None:
        raise ConnectionError

    work(act)()
    deadline = time.monotonic() + 5
    while not broker.dead_letter_bodies[_QUEUE]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(ConnectionError):
        drain_dead_letters(broker, _QUEUE, fail)
    assert len(broker.dead_letter_bodies[_QUEUE]) == 1


def test_a_full_queue_refuses_and_keeps_what_it_has(broker: MemoryBroker) -> None:
    for number in range(3):
        broker.enqueue(_message(number))
    with pytest.raises(QueueFull):
        broker.enqueue(_message(3))
    assert ready_messages(broker, _QUEUE) == 3


def test_a_worker_that_stops_gives_back_what_it_did_not_finish(broker: MemoryBroker) -> None:
    begun = threading.Event()

    def act(_number: int) -> None:
        begun.set()
        while True:
            time.sleep(0.005)

    dramatiq.actor(broker=broker, actor_name="act", queue_name=_QUEUE, notify_shutdown=True)(act)
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=20)
    worker.start()
    for number in range(3):
        broker.enqueue(_message(number))
    assert begun.wait(5)
    worker.stop(timeout=10_000)
    assert ready_messages(broker, _QUEUE) == 3
    assert broker.queues[_QUEUE].unfinished_tasks == 3


def test_an_actor_beyond_its_time_limit_is_interrupted_and_tried_again(
    broker: MemoryBroker,
) -> None:
    runs: list[int] = []
    again = threading.Event()

    def act() -> None:
        runs.append(1)
        if len(runs) > 1:
            again.set()
        while not again.is_set():
            time.sleep(0.005)

    actor: dramatiq.Actor[Any, Any] = dramatiq.actor(
        broker=broker, actor_name="act", queue_name=_QUEUE, time_limit=100
    )(act)
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=20)
    worker.start()
    actor.send()
    assert again.wait(5)
    worker.stop()


def test_a_message_for_an_unknown_actor_is_a_dead_letter(
    broker: MemoryBroker, work: Callable[[Callable[..., None]], Send]
) -> None:
    work(lambda: None)
    broker.enqueue(dramatiq.Message(_QUEUE, "nobody", (), {}, {}))
    deadline = time.monotonic() + 5
    while not broker.dead_letter_bodies[_QUEUE]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("body", [b"no message", b'{"queue_name":"other"}', b"\x28\xb5\x2f\xfd"])
def test_what_is_no_message_is_a_dead_letter_and_the_next_is_worked_on(
    broker: MemoryBroker, work: Callable[..., Send], body: bytes
) -> None:
    done = threading.Event()
    broker.queues[_QUEUE].put(body)
    send = work(done.set)
    send()
    assert done.wait(10)
    assert list(broker.dead_letter_bodies[_QUEUE]) == [body]


def test_another_kind_of_url_is_refused_in_one_line() -> None:
    with pytest.raises(UserError, match="amqp:// or memory://, not redis://"):
        make_broker("redis://localhost")
