"""The consumer of RabbitMQ: it acknowledges a message only on the channel that delivered it."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import dramatiq
import pika
import pika.exceptions
from dramatiq.brokers.rabbitmq import _RabbitmqConsumer
from dramatiq.errors import DecodeError

from shared.broker.envelope import receive
from shared.broker.errors import BrokerError, connection_closed
from shared.broker.retries import Delivery
from shared.broker.topology import DUE_HEADER

# The clocks of two machines differ by about this much: a shorter hop is not worth making.
_DUE_TOLERANCE_MS = 500


def is_consuming(worker: dramatiq.Worker) -> bool:
    """Return whether every queue of the worker is connected; a queue in this process always is."""
    consumers = [thread.consumer for thread in list(worker.consumers.values())]
    return bool(consumers) and all(
        bool(each.connection.is_open) if isinstance(each, ReliableConsumer) else each is not None
        for each in consumers
    )


class RabbitmqDelivery(Delivery):
    def __init__(
        self, message: dramatiq.Message[Any], channel: Any, tag: int, *, deliveries: int
    ) -> None:
        super().__init__(message)
        self.channel = channel
        self.tag = tag
        self.deliveries = deliveries

    @property
    def is_lost(self) -> bool:
        return not self.channel.is_open


class ReliableConsumer(_RabbitmqConsumer):
    """The consumer of a `ReliableBroker`."""

    def ack(self, message: dramatiq.MessageProxy) -> None:
        assert isinstance(message, RabbitmqDelivery)
        if message.decided:
            self._settle(message, partial(message.channel.basic_ack, message.tag))
        elif not message.held:
            self._settle(message, partial(message.channel.basic_nack, message.tag, requeue=True))

    def nack(self, message: dramatiq.MessageProxy) -> None:
        assert isinstance(message, RabbitmqDelivery)
        self._settle(message, partial(message.channel.basic_nack, message.tag, requeue=False))

    def __next__(self) -> RabbitmqDelivery | None:
        method, properties, body = self._receive()
        if method is None:
            return None
        headers = properties.headers or {}
        due_ms = headers.get(DUE_HEADER)
        if due_ms is not None and due_ms - time.time() * 1000 > _DUE_TOLERANCE_MS:
            self._send_to_next_rung(method.delivery_tag, body, due_ms)
            return None
        try:
            message = receive(self.queue_name, body)
        except DecodeError as error:
            self.logger.error("No message, to the dead letters: %s", error.message)  # noqa: TRY400  # a traceback would show the content
            self.channel.basic_nack(method.delivery_tag, requeue=False)
            return None
        return RabbitmqDelivery(
            message,
            self.channel,
            method.delivery_tag,
            # Quorum queues count earlier deliveries; at the first one the header is absent.
            deliveries=int(headers.get("x-delivery-count", 0)),
        )

    def _receive(self) -> tuple[Any, Any, bytes]:
        try:
            received: tuple[Any, Any, bytes] = next(self.iterator)
        except (
            AssertionError,  # pika's, when the connection went away between two deliveries
            pika.exceptions.AMQPConnectionError,
            pika.exceptions.AMQPChannelError,
        ) as error:
            if getattr(error, "reply_code", None) == 404:  # noqa: PLR2004  # AMQP's not-found
                self.broker.queues_pending.add(self.queue_name)
            raise connection_closed(error) from None
        return received

    def _settle(self, message: RabbitmqDelivery, command: Callable[[], None]) -> None:
        """Acknowledge or return the message, unless its channel was lost.

        Tags restart at 1 on a new channel: an old tag would settle another message. A message that
        can no longer be settled has gone back to its queue already.
        """
        if message.channel is not self.channel:
            self.logger.info("Message %s was delivered on a lost channel.", message.message_id)
            return
        try:
            self.connection.add_callback_threadsafe(command)
        except pika.exceptions.AMQPError as error:
            self.logger.info("Message %s cannot be settled: %s", message.message_id, error)

    def _send_to_next_rung(self, tag: int, body: bytes, due_ms: int) -> None:
        """Publish the message to its next delay queue. Only the consumer's thread may call this."""
        try:
            self.broker.publish_body(self.queue_name, body, due_ms=due_ms)
        except BrokerError as error:
            # The consumer restarts after a pause, and the message is delivered again.
            raise connection_closed(error) from None
        self.channel.basic_ack(tag)
