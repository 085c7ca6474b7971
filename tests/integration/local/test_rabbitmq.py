"""The private RabbitMQ node: killed, restarted, and no process left."""

import pika
import pytest

from deploy.local import processes
from deploy.local.rabbitmq import RunningRabbitmq
from deploy.local.rabbitmq_admin import RabbitmqServer


def _declare_and_fill(url: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("kept", durable=True)
        channel.basic_publish(
            "", "kept", b"still here", pika.BasicProperties(delivery_mode=2), mandatory=True
        )


def test_a_killed_node_leaves_no_process_and_comes_back_with_its_messages(
    private_rabbitmq: RunningRabbitmq,
) -> None:
    _declare_and_fill(private_rabbitmq.url)
    before = private_rabbitmq.pid
    private_rabbitmq.kill()
    assert processes.processes_below(private_rabbitmq.directory) == []

    private_rabbitmq.restart()
    assert private_rabbitmq.pid != before
    with pika.BlockingConnection(pika.URLParameters(private_rabbitmq.url)) as connection:
        _, _, body = connection.channel().basic_get("kept", auto_ack=True)
    assert body == b"still here"


def test_the_control_tool_reaches_the_node(private_rabbitmq: RunningRabbitmq) -> None:
    assert "sirenade" in private_rabbitmq.ctl("list_users")


def test_every_test_has_a_vhost_of_its_own(rabbitmq: RabbitmqServer, rabbitmq_url: str) -> None:
    vhost = rabbitmq_url.rsplit("/", 1)[1]
    with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)):
        assert rabbitmq.admin.close_connections(vhost) <= 1
    rabbitmq.admin.limit_connections(vhost, 0)
    with pytest.raises(pika.exceptions.ProbableAccessDeniedError):
        pika.BlockingConnection(pika.URLParameters(rabbitmq_url))
