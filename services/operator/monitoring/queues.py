"""Lengths of the queues, from RabbitMQ's management API, else over AMQP queue by queue."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

import pika
import pika.exceptions
from dramatiq.common import xq_name

from services.operator.monitoring.outside import JsonServer, Unanswered
from shared.broker.connection_parameters import ca_file_of, reachable, read_broker_url
from shared.broker.topology import RUNG_SECONDS, rung_name
from shared.http.egress import Egress
from shared.messages import FETCH_QUEUE, REVIEW_QUEUE, WRITE_QUEUE

QUEUES = (FETCH_QUEUE, WRITE_QUEUE, REVIEW_QUEUE)
_TIMEOUT_SECONDS = 2.0
_MANAGEMENT_PORTS = {"http": 15672, "https": 15671}


@dataclass(frozen=True)
class Queue:
    """Messages of a queue by state; `in_progress` is None over AMQP, which does not tell it."""

    name: str
    ready: int
    in_progress: int | None
    delayed: int
    dead: int
    consumers: int


@dataclass(frozen=True)
class Queues:
    """The queues that exist, or a `note` that says why none could be read."""

    queues: tuple[Queue, ...] = ()
    note: str | None = None


class QueueReader:
    def __init__(self, broker_url: str, management_url: str, egress: Egress) -> None:
        # The management API of any node tells of the whole cluster.
        self._parts = parts = urlsplit(first_of(broker_url))
        self._broker_url = broker_url
        ca_file = ca_file_of(broker_url) or egress.https_ca_file
        self._management = JsonServer(
            management_url or management_url_of(parts),
            replace(egress, https_ca_file=ca_file),
            basic_of(parts),
        )

    def read(self) -> Queues:
        """Read all queues. Never raises: `note` says that the broker is away."""
        if self._parts.scheme not in {"amqp", "amqps"}:
            return Queues(note="no RabbitMQ is named: SIRENADE_BROKER_URL")
        try:
            return Queues(tuple(self._by_management()))
        except (Unanswered, KeyError, TypeError):
            pass  # away, or something else answers there
        try:
            return Queues(tuple(self._by_amqp()))
        except (pika.exceptions.AMQPError, OSError) as error:
            # The class of the error only: RabbitMQ's own words may hold the user's name.
            return Queues(note=f"RabbitMQ does not answer: {type(error).__name__}")

    def _by_management(self) -> Iterator[Queue]:
        vhost = vhost_of(self._parts)
        columns = "name,messages_ready,messages_unacknowledged,consumers"
        found = self._management.get(f"/api/queues/{quote(vhost, safe='')}", columns=columns)
        rows = {row["name"]: row for row in found}
        return (_queue(name, rows) for name in QUEUES if name in rows)

    def _by_amqp(self) -> Iterator[Queue]:
        nodes = read_broker_url(self._broker_url)
        for parameters in nodes:
            parameters.connection_attempts = 1
            parameters.socket_timeout = parameters.stack_timeout = _TIMEOUT_SECONDS
            parameters.blocked_connection_timeout = _TIMEOUT_SECONDS
        with pika.BlockingConnection(reachable(nodes)) as connection:
            rows = {
                name: row
                for queue in QUEUES
                for name in (queue, *_delayed(queue), xq_name(queue))
                if (row := _declared(connection, name)) is not None
            }
        return (_queue(name, rows) for name in QUEUES if name in rows)


def first_of(broker_url: str) -> str:
    """Return the address of the first node."""
    return broker_url.partition(";")[0]


def basic_of(broker: SplitResult) -> str:
    """Return the header that says to the management API who asks."""
    user, password = broker.username or "guest", broker.password or "guest"
    credentials = f"{unquote(user)}:{unquote(password)}".encode()
    return f"Basic {base64.b64encode(credentials).decode()}"


def vhost_of(broker: SplitResult) -> str:
    return unquote(broker.path[1:]) or "/"


def vhost_of_url(broker_url: str) -> str:
    """Return the vhost of the URL; `sirenade` where it names no RabbitMQ."""
    parts = urlsplit(first_of(broker_url))
    return vhost_of(parts) if parts.scheme in {"amqp", "amqps"} else "sirenade"


def management_url_of(broker: SplitResult) -> str:
    """Return where the management API is; the password goes there as it goes to the broker."""
    scheme = "https" if broker.scheme == "amqps" else "http"
    host = broker.hostname or "127.0.0.1"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{_MANAGEMENT_PORTS[scheme]}"


def _delayed(name: str) -> list[str]:
    return [rung_name(name, seconds) for seconds in RUNG_SECONDS]


def _declared(connection: Any, name: str) -> Mapping[str, Any] | None:
    """Return messages and consumers; None where the queue is missing, which closes the channel."""
    channel = connection.channel()
    try:
        answer = channel.queue_declare(name, passive=True).method
    except pika.exceptions.ChannelClosedByBroker:
        return None
    channel.close()
    return {"messages_ready": answer.message_count, "consumers": answer.consumer_count}


def _queue(name: str, rows: Mapping[str, Mapping[str, Any]]) -> Queue:
    row = rows[name]
    return Queue(
        name=name,
        ready=row.get("messages_ready", 0),
        in_progress=row.get("messages_unacknowledged"),
        delayed=sum(_messages(rows.get(each, {})) for each in _delayed(name)),
        dead=_messages(rows.get(xq_name(name), {})),
        consumers=row.get("consumers", 0),
    )


def _messages(row: Mapping[str, Any]) -> int:
    return int(row.get("messages_ready", 0)) + int(row.get("messages_unacknowledged", 0))
