"""The envelope of a message: made and encoded when it is published, checked when it is received."""

import re
from typing import Any

import dramatiq
from dramatiq.errors import DecodeError

from shared import wire
from shared.messages import FetchPage, ReviewAvis, WriteSlice

_NAME = re.compile(r"[\x21-\x7e]{1,200}")
_OPTIONS = {"retries": int, "last_error": str, "run_id": int}
"""All options of our messages; others would start delays and retries of dramatiq's own."""
_MOST = 2**62  # plus one, still a number of JSON


class CompactEncoder(dramatiq.Encoder):
    """The encoder that dramatiq uses for the project's messages."""

    def encode(self, data: dict[str, Any]) -> bytes:
        return wire.encode(data)

    def decode(self, data: bytes) -> dict[str, Any]:
        """Raise `DecodeError`, without the content, for anything but a JSON object."""
        try:
            return wire.decode(data)
        except wire.NotAMessage as error:
            raise DecodeError(f"not a message: {error}", data, None) from None  # type: ignore[no-untyped-call]  # dramatiq leaves its errors untyped


def publish(broker: dramatiq.Broker, message: FetchPage | WriteSlice | ReviewAvis) -> None:
    """Send a message to its queue and wait for the confirmation.

    A `BrokerError` means that the message was not accepted.
    """
    broker.declare_queue(message.QUEUE)
    envelope: dramatiq.Message[Any] = dramatiq.Message(
        queue_name=message.QUEUE,
        actor_name=message.ACTOR,
        args=(),
        kwargs=message.to_wire(),
        options={},
    )
    broker.enqueue(envelope)


def receive(queue_name: str, body: bytes) -> dramatiq.Message[Any]:
    """Decode the body. Raises `DecodeError`, without the content, for anything but our messages.

    dramatiq does not check the types in an envelope: with a wrong one its worker thread would die.
    """
    message: dramatiq.Message[Any] = dramatiq.Message.decode(body)
    if message.queue_name != queue_name or not _is_sound(message):
        raise DecodeError("not a message: its envelope", body, None)  # type: ignore[no-untyped-call]  # dramatiq leaves its errors untyped
    return message


def _is_sound(message: dramatiq.Message[Any]) -> bool:
    return (
        _is_name(message.actor_name)
        and _is_name(message.message_id)
        and type(message.message_timestamp) is int
        and isinstance(message.kwargs, dict)
        and all(map(_is_flat, message.kwargs.values()))
        and isinstance(message.options, dict)
        and all(_is_option(name, value) for name, value in message.options.items())
    )


def _is_flat(value: object) -> bool:
    """Return whether the value is shallow: a deeper one can be decoded, but not encoded again."""
    return not isinstance(value, dict) and not (
        isinstance(value, list) and any(isinstance(each, dict | list) for each in value)
    )


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_option(name: str, value: object) -> bool:
    if type(value) is not _OPTIONS.get(name):
        return False
    return not isinstance(value, int) or 0 <= value < _MOST
