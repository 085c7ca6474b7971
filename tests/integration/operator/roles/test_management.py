"""Users of RabbitMQ, made by the management API: each may use its own queues alone."""

from http import HTTPStatus
from urllib.parse import urlsplit

import pika
import pika.exceptions
import pytest

from services.operator.roles.management import ManagementApi
from shared.broker import make_broker, ready_messages
from shared.broker.dead_letters import drain_dead_letters
from shared.broker.envelope import publish
from shared.broker.errors import BrokerError
from shared.errors import UserError
from shared.http.egress import Egress
from shared.messages import FETCH_QUEUE, REVIEW_QUEUE, WRITE_QUEUE, FetchPage, ReviewAvis
from shared.roles.broker_users import BROKER_USERS
from tests.servers.rabbitmq_admin import RabbitmqServer

_QUEUES = (FETCH_QUEUE, WRITE_QUEUE, REVIEW_QUEUE)
_PREFIX = "sirenade_"


class Users:
    """Users of one vhost, all of them made."""

    def __init__(self, server: RabbitmqServer, url: str) -> None:
        self.api = ManagementApi(url, server.admin.base_url, Egress())
        self.parts = urlsplit(url)
        for name, user in BROKER_USERS.items():
            assert self.api.make(_PREFIX + name, user, f"{name}s-password")

    def url(self, name: str) -> str:
        place = self.parts.netloc.rpartition("@")[2]
        login = f"{_PREFIX}{name}:{name}s-password@{place}"
        return self.parts._replace(netloc=login).geturl()

    def is_refused(self, name: str, call: str, *arguments: object, **options: object) -> bool:
        """Return whether RabbitMQ refuses this user the call of a channel."""
        with pika.BlockingConnection(pika.URLParameters(self.url(name))) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            try:
                getattr(channel, call)(*arguments, **options)
            except pika.exceptions.ChannelClosedByBroker as error:
                return bool(error.reply_code == HTTPStatus.FORBIDDEN)
        return False


@pytest.fixture
def users(rabbitmq: RabbitmqServer, rabbitmq_url: str) -> Users:
    made = Users(rabbitmq, rabbitmq_url)
    broker = make_broker(rabbitmq_url)
    for queue in _QUEUES:
        broker.declare_queue(queue, ensure=True)  # type: ignore[call-arg]  # RabbitMQ's broker takes it
    broker.close()
    return made


def test_a_user_consumes_its_own_queues_alone(users: Users) -> None:
    readable = {
        name: [queue for queue in _QUEUES if not users.is_refused(name, "basic_get", queue)]
        for name in BROKER_USERS
    }
    assert readable == {
        # It makes the slices, and their queue where it lacks.
        "fetcher": [FETCH_QUEUE, WRITE_QUEUE],
        "writer": [WRITE_QUEUE],
        "reviewer": [REVIEW_QUEUE],
        "operator": [*_QUEUES],
        "reader": [],
    }


def test_a_user_deletes_and_empties_no_queue_of_others(users: Users) -> None:
    assert users.is_refused("reviewer", "queue_delete", WRITE_QUEUE)
    assert users.is_refused("reviewer", "queue_purge", FETCH_QUEUE)
    assert users.is_refused("writer", "queue_delete", REVIEW_QUEUE)
    assert users.is_refused("fetcher", "queue_delete", REVIEW_QUEUE)
    assert users.is_refused("reader", "basic_publish", "", REVIEW_QUEUE, b"x")
    assert users.is_refused("reader", "queue_declare", "another")
    assert users.is_refused("writer", "exchange_declare", "another")
    assert users.is_refused("operator", "queue_declare", "another")


def test_each_service_publishes_consumes_and_counts_as_its_user(users: Users) -> None:
    with_fetcher = make_broker(users.url("fetcher"))
    publish(with_fetcher, FetchPage(1, 1))
    with_fetcher.close()
    with_reviewer = make_broker(users.url("reviewer"))
    publish(with_reviewer, ReviewAvis([1]))
    with_reviewer.close()
    with_writer = make_broker(users.url("writer"))
    for queue in _QUEUES:
        assert drain_dead_letters(with_writer, queue, lambda _: None) == 0
    with_writer.close()
    with pika.BlockingConnection(pika.URLParameters(users.url("reader"))) as connection:
        channel = connection.channel()
        assert channel.queue_declare(REVIEW_QUEUE, passive=True).method.message_count == 1


def test_services_make_their_queues_in_an_empty_vhost(
    rabbitmq: RabbitmqServer, rabbitmq_url: str
) -> None:
    users = Users(rabbitmq, rabbitmq_url)
    writer = make_broker(users.url("writer"))
    for queue in _QUEUES:
        assert drain_dead_letters(writer, queue, lambda _: None) == 0
    writer.close()
    for name, own in (
        ("fetcher", FETCH_QUEUE),
        ("writer", WRITE_QUEUE),
        ("reviewer", REVIEW_QUEUE),
    ):
        broker = make_broker(users.url(name))
        assert broker.declare_queue(own, ensure=True) is None  # type: ignore[call-arg,func-returns-value]  # as above
        broker.close()
    strange = make_broker(users.url("reviewer"))
    with pytest.raises(BrokerError):
        ready_messages(strange, "sirene.other.v1")
    strange.close()


def test_a_user_keeps_its_password_and_gets_other_permissions(users: Users) -> None:
    assert users.api.make(f"{_PREFIX}reviewer", BROKER_USERS["reader"], None)
    assert users.is_refused("reviewer", "basic_get", REVIEW_QUEUE)
    assert not users.api.make("sirenade_nobody", BROKER_USERS["reader"], None)


def test_a_refusal_of_the_management_api_is_told_without_the_password(
    rabbitmq: RabbitmqServer, users: Users
) -> None:
    api = ManagementApi(users.url("reviewer"), rabbitmq.admin.base_url, Egress())
    with pytest.raises(UserError, match="HTTP 401") as refused:
        api.make("sirenade_x", BROKER_USERS["reader"], "secret")
    assert "secret" not in str(refused.value)
