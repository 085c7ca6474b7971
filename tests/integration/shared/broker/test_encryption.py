"""amqps: messages travel encrypted to a broker whose certificate is trusted, and to no other."""

from collections.abc import Callable, Iterator
from pathlib import Path

import dramatiq
import pytest

from services.operator.failures import letter_commands
from services.operator.monitoring.queues import QueueReader
from shared.broker import BrokerUnavailable, drain_dead_letters, make_broker, ready_messages
from shared.errors import UserError
from shared.http.egress import Egress
from shared.messages import FETCH_QUEUE
from tests.certificates import Authority
from tests.integration.conftest import StartWorker, WaitFor
from tests.servers.rabbitmq import RunningRabbitmq

Open = Callable[[str], dramatiq.Broker]


@pytest.fixture
def encrypted_url(private_rabbitmq: RunningRabbitmq, private_rabbitmq_url: str) -> str:
    trusted = f"?cacertfile={private_rabbitmq.ca_file}"
    return private_rabbitmq.encrypted(private_rabbitmq_url) + trusted


@pytest.fixture
def open_broker() -> Iterator[Open]:
    opened: list[dramatiq.Broker] = []

    def open_one(url: str) -> dramatiq.Broker:
        opened.append(make_broker(url))
        return opened[-1]

    yield open_one
    for broker in opened:
        broker.close()


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    return Authority(tmp_path).file


def test_messages_are_published_and_consumed_encrypted(
    encrypted_url: str, open_broker: Open, start_worker: StartWorker, wait_for: WaitFor
) -> None:
    broker, done = open_broker(encrypted_url), list[int]()
    actor = dramatiq.actor(broker=broker, actor_name="act", queue_name=FETCH_QUEUE)(done.append)
    actor.send(1)
    assert ready_messages(broker, FETCH_QUEUE) == 1
    start_worker(broker)
    wait_for(lambda: done == [1])
    assert drain_dead_letters(broker, FETCH_QUEUE, lambda _letter: None, limit=1) == 0


def test_an_authority_that_is_not_the_brokers_is_refused(
    encrypted_url: str, stranger: Path, open_broker: Open
) -> None:
    url, _, _ = encrypted_url.partition("?")
    for trusted in (f"?cacertfile={stranger}", ""):
        with pytest.raises(BrokerUnavailable, match="its certificate is not trusted: ") as caught:
            ready_messages(open_broker(url + trusted), FETCH_QUEUE)
        assert "\n" not in str(caught.value)


def test_a_certificate_of_another_host_is_refused(encrypted_url: str, open_broker: Open) -> None:
    elsewhere = encrypted_url.replace("@localhost", "@127.0.0.1")
    with pytest.raises(BrokerUnavailable, match=r"not trusted: .*mismatch"):
        ready_messages(open_broker(elsewhere), FETCH_QUEUE)


def test_a_port_that_speaks_no_tls_is_refused(
    private_rabbitmq: RunningRabbitmq, encrypted_url: str, open_broker: Open
) -> None:
    ports = private_rabbitmq.ports
    plain = encrypted_url.replace(f":{ports.amqps}/", f":{ports.amqp}/")
    with pytest.raises(BrokerUnavailable, match="RabbitMQ: "):
        ready_messages(open_broker(plain), FETCH_QUEUE)
    clear = private_rabbitmq.url.replace(f":{ports.amqp}/", f":{ports.amqps}/")
    with pytest.raises(BrokerUnavailable, match="RabbitMQ: "):
        ready_messages(open_broker(clear), FETCH_QUEUE)


def test_a_command_says_it_in_one_line(
    encrypted_url: str, stranger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIRENADE_DATABASE_URL", "postgresql://x@localhost/x")
    for trusted, said in (("/none.pem", "No such file"), (__file__, "no certificates")):
        url = encrypted_url.partition("?")[0] + f"?cacertfile={trusted}"
        monkeypatch.setenv("SIRENADE_BROKER_URL", url)
        with pytest.raises(UserError, match=f"cacertfile in the broker URL: {trusted}: {said}"):
            letter_commands._open_broker()
    monkeypatch.setenv("SIRENADE_BROKER_URL", f"amqp://u:hunter2@h/?cacertfile={stranger}")
    with pytest.raises(UserError, match="is for amqps://"):
        letter_commands._open_broker()
    monkeypatch.setenv("SIRENADE_BROKER_URL", "amqps://u:hunter2@h/?certificate=/x")
    with pytest.raises(UserError, match="cannot be read") as caught:
        letter_commands._open_broker()
    assert "hunter2" not in str(caught.value)


def test_the_queues_are_read_encrypted_by_both_ways(
    private_rabbitmq: RunningRabbitmq,
    encrypted_url: str,
    stranger: Path,
    open_broker: Open,
    wait_for: WaitFor,
) -> None:
    ready_messages(open_broker(encrypted_url), FETCH_QUEUE)
    management = f"https://localhost:{private_rabbitmq.ports.management_tls}"
    by_management = QueueReader(encrypted_url, management, Egress())
    # The management API counts a second later. AMQP does not tell what is in progress.
    wait_for(lambda: [queue.in_progress for queue in by_management.read().queues] == [0])
    by_amqps = QueueReader(encrypted_url, "https://localhost:1", Egress()).read()
    assert [queue.in_progress for queue in by_amqps.queues] == [None]
    url = encrypted_url.partition("?")[0] + f"?cacertfile={stranger}"
    note = QueueReader(url, management, Egress()).read().note
    assert note == "RabbitMQ does not answer: SSLCertVerificationError"
