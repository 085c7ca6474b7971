"""The private RabbitMQ node: killed, restarted, and no process left."""

import dramatiq
import pika
import pytest

from deploy.local import processes
from shared.broker import make_broker, ready_messages
from tests.integration.conftest import WaitFor
from tests.servers.rabbitmq import RunningRabbitmq
from tests.servers.rabbitmq_admin import RabbitmqServer

_QUEUE = "sirene.test.v1"


def test_a_killed_node_leaves_no_process_and_comes_back_with_its_messages(
    private_rabbitmq: RunningRabbitmq, private_rabbitmq_url: str, wait_for: WaitFor
) -> None:
    broker = make_broker(private_rabbitmq_url)
    broker.declare_queue(_QUEUE)
    broker.enqueue(dramatiq.Message(_QUEUE, "act", (), {}, {}))
    before = private_rabbitmq.pid
    private_rabbitmq.kill()
    assert processes.processes_below(private_rabbitmq.directory) == []

    private_rabbitmq.restart()
    assert private_rabbitmq.pid != before
    wait_for(lambda: ready_messages(broker, _QUEUE) == 1)
    broker.close()


def test_the_control_tool_reaches_the_node(private_rabbitmq: RunningRabbitmq) -> None:
    assert "sirenade" in private_rabbitmq.ctl("list_users")


def test_every_test_has_a_vhost_of_its_own(rabbitmq: RabbitmqServer, rabbitmq_url: str) -> None:
    vhost = rabbitmq_url.rsplit("/", 1)[1]
    with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)):
        assert rabbitmq.admin.close_connections(vhost) <= 1
    rabbitmq.admin.limit_connections(vhost, 0)
    with pytest.raises(pika.exceptions.ProbableAccessDeniedError):
        pika.BlockingConnection(pika.URLParameters(rabbitmq_url))
