"""The faults with which the stock RabbitMQ broker loses messages, and ours does not.

Each test provokes the fault on a real node with both brokers. The stock one must lose messages,
which proves the fault; ours must lose none.
"""

import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dramatiq
import pika
import pytest

from deploy.local.errors import LocalServerError
from shared.broker import (
    DeadLetter,
    ReliableBroker,
    drain_dead_letters,
)
from tests.integration.conftest import StartWorker, WaitFor
from tests.servers.rabbitmq import RunningRabbitmq

_QUEUE = "sirene.test.v1"
MakeBroker = Callable[..., dramatiq.Broker]
StartProcess = Callable[..., subprocess.Popen[bytes]]

_CONFIRM_TIMEOUT = (
    "application:set_env(rabbit, dead_letter_worker_publisher_confirm_timeout, {milliseconds})."
)

both_brokers = pytest.mark.parametrize("kind", ["stock", "reliable"])


def _message(number: int, queue: str = _QUEUE) -> dramatiq.Message[Any]:
    return dramatiq.Message(queue, "act", (number,), {}, {})


def _numbers_in(url: str, queue: str) -> Counter[int]:
    """Empty the queue; count the messages that it held by number."""
    numbers: Counter[int] = Counter()
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        while (received := channel.basic_get(queue, auto_ack=True))[0] is not None:
            numbers[dramatiq.Message[Any].decode(received[2]).args[0]] += 1
    return numbers


def _ready(url: str) -> int:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        declared = connection.channel().queue_declare(_QUEUE, passive=True)
        return int(declared.method.message_count)


def _numbers_that(did: str, log: Path) -> set[int]:
    lines = (line.split() for line in log.read_text().splitlines())
    return {int(number) for word, number in lines if word == did}


class Publisher(threading.Thread):
    """Publishes numbers as fast as it can, until it fails."""

    def __init__(self, broker: dramatiq.Broker, queue: str) -> None:
        super().__init__(daemon=True)
        self.broker = broker
        self.queue = queue
        self.published: list[int] = []
        """The numbers for which `enqueue` has returned."""

    def run(self) -> None:
        try:
            for number in range(200_000):
                self.broker.enqueue(_message(number, self.queue))
                self.published.append(number)
        except Exception:  # noqa: BLE001  # any error of the broker ends the publishing
            return


@both_brokers
def test_a_node_killed_in_mid_publishing_has_every_message_that_ours_called_published(
    kind: str,
    private_rabbitmq: RunningRabbitmq,
    private_rabbitmq_url: str,
    make: MakeBroker,
    wait_for: WaitFor,
) -> None:
    publisher = Publisher(make(kind), _QUEUE)
    publisher.broker.declare_queue(_QUEUE, ensure=True)  # type: ignore[call-arg]  # both brokers of RabbitMQ take it
    publisher.start()
    wait_for(lambda: len(publisher.published) > 300)
    private_rabbitmq.kill()
    publisher.join(30)
    try:
        private_rabbitmq.restart()
    except LocalServerError:
        # RabbitMQ 3.10 cannot always read a classic queue of a killed node again.
        assert kind == "stock"
        return
    lost = set(publisher.published) - set(_numbers_in(private_rabbitmq_url, _QUEUE))
    assert bool(lost) == (kind == "stock")


@both_brokers
def test_a_retry_that_cannot_be_published_does_not_take_the_message_with_it(  # fixtures
    kind: str,
    private_rabbitmq: RunningRabbitmq,
    private_rabbitmq_url: str,
    make: MakeBroker,
    start_worker: StartWorker,
    wait_for: WaitFor,
) -> None:
    broker = make(kind)
    begun: list[int] = []
    succeeded: list[int] = []
    refused = threading.Event()

    def act(number: int) -> None:
        begun.append(number)
        assert refused.wait(20)
        if begun.count(number) == 1:
            raise ConnectionError
        succeeded.append(number)

    dramatiq.actor(broker=broker, actor_name="act", queue_name=_QUEUE)(act)
    for number in range(8):
        broker.enqueue(_message(number))
    worker = start_worker(broker, threads=8)
    wait_for(lambda: len(begun) == 8)
    # The threads of the actors have no connection yet that could publish their retries.
    vhost = private_rabbitmq_url.rsplit("/", 1)[1]
    private_rabbitmq.admin.limit_connections(vhost, 1)
    refused.set()

    if kind == "reliable":
        wait_for(lambda: sorted(succeeded) == list(range(8)), seconds=20)
    else:
        worker.join()
        worker.stop()
        private_rabbitmq.admin.limit_connections(vhost, -1)
        assert broker.get_queue_message_counts(_QUEUE) == (0, 0, 0)  # type: ignore[attr-defined]  # of RabbitmqBroker
        assert succeeded == []


@both_brokers
def test_an_actor_that_outlives_its_connection_acknowledges_no_other_message(  # fixtures
    kind: str,
    private_rabbitmq: RunningRabbitmq,
    private_rabbitmq_url: str,
    make: MakeBroker,
    start_process: StartProcess,
    wait_for: WaitFor,
    tmp_path: Path,
) -> None:
    # Two threads hold four messages. 1 and 2 finish. 3 and 4 run while the connection closes, and
    # finish with tags that then belong to 5 and 6, which never finish.
    everything = set(range(1, 13))
    log = tmp_path / "log"
    log.touch()
    for number in everything - {1, 2}:
        (tmp_path / f"wait-{number}").touch()
    broker = make(kind)
    broker.declare_queue(_QUEUE)
    for number in sorted(everything):
        broker.enqueue(_message(number))
    worker = start_process(kind, dramatiq_restart_delay="1000")
    wait_for(lambda: {3, 4} <= _numbers_that("begun", log), seconds=20)
    wait_for(lambda: _ready(private_rabbitmq_url) == 6)

    vhost = private_rabbitmq_url.rsplit("/", 1)[1]
    private_rabbitmq.ctl("close_all_connections", "--vhost", vhost, "test")
    wait_for(lambda: _ready(private_rabbitmq_url) == 10)
    wait_for(lambda: _ready(private_rabbitmq_url) == 6)
    for number in (3, 4):
        (tmp_path / f"wait-{number}").unlink()
    wait_for(lambda: {5, 6} <= _numbers_that("begun", log))
    # If two messages were wrongly removed, two more would be delivered instead.
    if kind == "stock":
        wait_for(lambda: _ready(private_rabbitmq_url) == 4)
    else:
        with pytest.raises(pytest.fail.Exception):
            wait_for(lambda: _ready(private_rabbitmq_url) < 6, seconds=1)
    worker.kill()
    worker.wait()

    wait_for(lambda: _ready(private_rabbitmq_url) >= 8)
    lost = everything - _numbers_that("done", log) - set(_numbers_in(private_rabbitmq_url, _QUEUE))
    assert lost == ({5, 6} if kind == "stock" else set())


@both_brokers
def test_a_short_delay_is_not_held_back_by_long_ones(
    kind: str, make: MakeBroker, wait_for: WaitFor
) -> None:
    broker = make(kind)
    fired: list[int] = []
    dramatiq.actor(broker=broker, actor_name="act", queue_name=_QUEUE)(fired.append)
    for number in range(10):
        broker.enqueue(_message(number), delay=60_000)
    broker.enqueue(_message(99), delay=1_000)
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=100)
    # The prefetch of the stock broker, and the delayed messages in its worker's memory.
    worker.delay_prefetch = 10
    worker.start()
    try:
        held = [consumer.delay_queue for consumer in worker.consumers.values()]
        if isinstance(broker, ReliableBroker):
            wait_for(lambda: fired == [99], seconds=3)
            assert all(queue.empty() for queue in held)
            assert broker.delayed_messages(_QUEUE) == 10
        else:
            wait_for(lambda: sum(queue.qsize() for queue in held) == 10)
            with pytest.raises(pytest.fail.Exception):
                wait_for(lambda: fired, seconds=3)
    finally:
        worker.stop(timeout=5_000)


def test_delays_that_end_while_the_node_is_killed_end_all_the_same(
    private_rabbitmq: RunningRabbitmq,
    private_rabbitmq_url: str,
    make: MakeBroker,
    wait_for: WaitFor,
) -> None:
    broker = make("reliable")
    for number in range(60):
        broker.enqueue(_message(number), delay=1_000)
    wait_for(lambda: _ready(private_rabbitmq_url) > 0)
    private_rabbitmq.kill()
    private_rabbitmq.restart()

    back: Counter[int] = Counter()

    def all_are_back() -> bool:
        back.update(_numbers_in(private_rabbitmq_url, _QUEUE))
        return set(back) == set(range(60))

    wait_for(all_are_back, seconds=20)


def test_a_message_that_its_worker_does_not_survive_is_dead_lettered_and_the_rest_is_done(
    make: MakeBroker, start_process: StartProcess, wait_for: WaitFor, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.touch()
    (tmp_path / "die-1").touch()
    broker = make("reliable", delivery_limit=3)
    for number in (1, 2):
        broker.enqueue(_message(number))
    assert isinstance(broker, ReliableBroker)
    worker = start_process("reliable", DELIVERY_LIMIT="3")
    letters: list[DeadLetter] = []

    def both_are_out() -> bool:
        """Return whether 2 is done, or was rejected with 1 because the same workers held it."""
        nonlocal worker
        if worker.poll() is not None:
            worker = start_process("reliable", DELIVERY_LIMIT="3")
        drain_dead_letters(broker, _QUEUE, letters.append)
        dead = {dramatiq.Message[Any].decode(letter.body).args[0] for letter in letters}
        return 1 in dead and 2 in dead | _numbers_that("done", log)

    wait_for(both_are_out, seconds=60)
    assert {letter.reason for letter in letters} == {"delivery_limit"}
    assert log.read_text().splitlines().count("begun 1") <= 4
    assert 1 not in _numbers_that("done", log)


@pytest.mark.slow
def test_delays_that_end_at_a_full_queue_wait_until_it_has_room(
    private_rabbitmq: RunningRabbitmq,
    private_rabbitmq_url: str,
    make: MakeBroker,
    wait_for: WaitFor,
) -> None:
    # RabbitMQ offers a refused message again only after three minutes.
    private_rabbitmq.ctl("eval", _CONFIRM_TIMEOUT.format(milliseconds=1_000))
    broker = make("reliable", max_length=3)
    for number in range(20):
        broker.enqueue(_message(number), delay=1_000)
    wait_for(lambda: _ready(private_rabbitmq_url) >= 3)

    back: Counter[int] = Counter()
    turns = 0

    def all_are_back() -> bool:
        nonlocal turns
        turns += 1
        back.update(_numbers_in(private_rabbitmq_url, _QUEUE))
        return set(back) == set(range(20))

    wait_for(all_are_back, seconds=30)
    assert turns > 1
    private_rabbitmq.ctl("eval", _CONFIRM_TIMEOUT.format(milliseconds=180_000))
