"""A RabbitMQ broker that loses no message; docs/adr/0003-broker.md has the stock one's losses."""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import dramatiq
import pika
import pika.exceptions
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.common import xq_name

from shared.broker import topology
from shared.broker.connection_parameters import (
    CONNECTION_ERRORS,
    described,
    reachable,
    read_broker_url,
)
from shared.broker.consumer import ReliableConsumer
from shared.broker.errors import (
    BrokerBlocked,
    BrokerUnavailable,
    QueueFull,
    QueueMismatch,
    connection_closed,
)
from shared.broker.topology import QueueLimits
from shared.garbage import collect

_T = TypeVar("_T")

_ATTEMPTS = 3
_HEARTBEAT_SECONDS = 30
_BLOCKED_SECONDS = 30
_SOCKET_SECONDS = 10


class ReliableBroker(RabbitmqBroker):
    """Confirmed publishing to quorum queues, delays inside RabbitMQ, acks bound to their channel.

    Every thread that publishes opens a connection of its own and keeps it.
    """

    # RabbitMQ writes the name of a new quorum queue to disk after half a second of calm. Killed
    # before, it has lost the queue with all messages that it confirmed.
    settle_seconds = 1.5

    def __init__(
        self, url: str, *, middleware: list[dramatiq.Middleware], limits: QueueLimits
    ) -> None:
        super().__init__(confirm_delivery=True, middleware=middleware)
        self._nodes = read_broker_url(url)
        self.limits = limits
        self._declaring = threading.Lock()
        for parameters in self._nodes:
            parameters.heartbeat = _HEARTBEAT_SECONDS
            parameters.blocked_connection_timeout = _BLOCKED_SECONDS
            parameters.connection_attempts = 1
            parameters.socket_timeout = _SOCKET_SECONDS
            parameters.stack_timeout = _SOCKET_SECONDS

    @property
    def parameters(self) -> list[pika.ConnectionParameters]:
        """The nodes to try, in order: read anew for each connection, also by dramatiq."""
        return reachable(self._nodes)

    @parameters.setter
    def parameters(self, _unused: object) -> None:
        """Ignore what dramatiq sets: it has not read the URL as we do."""

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> dramatiq.Consumer:
        collect()
        # Since the last time somebody may have made it anew, without dead letters or confirms.
        self.queues_pending.add(queue_name)
        try:
            self.declare_queue(queue_name, ensure=True)
        except (BrokerUnavailable, QueueMismatch, OSError) as error:
            raise connection_closed(error) from None
        finally:
            # The declaration opened a connection that this thread does not use again.
            del self.connection
        try:
            return ReliableConsumer(self, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]  # untyped in dramatiq
        except OSError as error:
            raise connection_closed(error) from None

    def declare_queue(self, queue_name: str, *, ensure: bool = False) -> None:
        """Note the queue, and create it with `ensure`. No delay queue is ever consumed."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.queues_pending.add(queue_name)
            self.emit_after("declare_queue", queue_name)
        if ensure:
            self._ensure_queue(queue_name)

    def enqueue(
        self, message: dramatiq.Message[Any], *, delay: int | None = None
    ) -> dramatiq.Message[Any]:
        """Publish and wait for the confirmation; `delay` (ms) is rounded up to a rung.

        Raises:
          QueueFull: when the queue has reached its length.
          BrokerUnavailable: when RabbitMQ did not confirm; it may have the message all the same.
        """
        self.declare_queue(message.queue_name)
        self.emit_before("enqueue", message, delay)
        due_ms = int(time.time() * 1000) + delay if delay else None
        self.publish_body(message.queue_name, message.encode(), due_ms=due_ms)
        self.emit_after("enqueue", message, delay)
        return message

    def publish_body(self, queue_name: str, body: bytes, *, due_ms: int | None = None) -> None:
        target, headers = queue_name, {}
        if due_ms is not None:
            delay_ms = due_ms - int(time.time() * 1000)
            rung = topology.rung_for(delay_ms)
            target = topology.rung_name(queue_name, rung)
            if delay_ms > rung * 1000:
                headers[topology.DUE_HEADER] = due_ms
        properties = pika.BasicProperties(delivery_mode=2, headers=headers)

        def publish(channel: Any) -> None:
            try:
                channel.basic_publish("", target, body, properties, mandatory=True)
            except pika.exceptions.NackError:
                raise QueueFull(queue_name) from None
            except pika.exceptions.UnroutableError:
                self.queues_pending.add(queue_name)
                raise

        self._with_queue(queue_name, publish)

    def ready_messages(self, queue_name: str) -> int:
        """Count the messages that wait for a consumer; those in progress do not.

        The number is exact, but a node just restarted says 0 until the queue has a leader.
        """
        return self._count(queue_name, queue_name)

    def delayed_messages(self, queue_name: str) -> int:
        rungs = [topology.rung_name(queue_name, rung) for rung in topology.RUNG_SECONDS]
        return self._count(queue_name, *rungs)

    def get_queue_message_counts(self, queue_name: str) -> tuple[int, int, int]:
        """Count ready, delayed and dead-lettered messages."""
        return (
            self.ready_messages(queue_name),
            self.delayed_messages(queue_name),
            self._count(queue_name, xq_name(queue_name)),
        )

    def _count(self, queue_name: str, *names: str) -> int:
        """Count the messages in the queues of these names, which belong to `queue_name`."""

        def count(channel: Any) -> int:
            declared = [channel.queue_declare(name, passive=True) for name in names]
            return sum(int(answer.method.message_count) for answer in declared)

        return self._with_queue(queue_name, count)

    def _with_queue(self, queue_name: str, operation: Callable[[Any], _T]) -> _T:
        """Run the operation on this thread's channel; make queue and connection where they lack."""
        attempt = 1
        while True:
            try:
                self._ensure_queue(queue_name)
                return operation(self.channel)
            except (QueueFull, QueueMismatch):
                raise
            except pika.exceptions.ConnectionBlockedTimeout:
                # A new connection would be blocked, too, and wait as long again.
                del self.connection
                raise BrokerBlocked from None
            except (*CONNECTION_ERRORS, ConnectionError) as error:
                del self.connection
                # Kept beyond this block, it would hold the page that is published.
                if attempt == _ATTEMPTS:
                    raise BrokerUnavailable(f"RabbitMQ: {described(error)}") from None
                attempt += 1
                collect()
            except BaseException:
                # After an interrupt in mid-call the state of the channel is unknown.
                del self.connection
                raise

    def _ensure_queue(self, canonical_queue_name: str) -> None:
        if canonical_queue_name not in self.queues_pending:
            return
        with self._declaring:
            if canonical_queue_name in self.queues_pending:
                is_new = not self._exists(canonical_queue_name)
                self._declare_all(canonical_queue_name)
                if is_new:
                    time.sleep(self.settle_seconds)
                self.queues_pending.discard(canonical_queue_name)

    def _exists(self, queue_name: str) -> bool:
        try:
            self.channel.queue_declare(queue_name, passive=True)
        except pika.exceptions.ChannelClosedByBroker as error:
            if error.reply_code != 404:  # noqa: PLR2004  # AMQP's not-found
                raise
            del self.channel
            return False
        return True

    def _declare_all(self, queue_name: str) -> None:
        """Declare all queues, the work queue last: where it exists, the others exist too."""
        queues = {xq_name(queue_name): topology.dead_letter_arguments()}
        for rung in topology.RUNG_SECONDS:
            queues[topology.rung_name(queue_name, rung)] = topology.rung_arguments(queue_name, rung)
        queues[queue_name] = topology.work_arguments(queue_name, self.limits)
        for name, arguments in queues.items():
            try:
                self.channel.queue_declare(name, durable=True, arguments=arguments)
            except pika.exceptions.ChannelClosedByBroker as error:
                if error.reply_code != 406:  # noqa: PLR2004  # AMQP's precondition-failed
                    raise
                del self.channel
                raise QueueMismatch(
                    f"queue {name} exists with other arguments: delete it once it is empty,"
                    " or give the queue a new version in its name"
                ) from None
