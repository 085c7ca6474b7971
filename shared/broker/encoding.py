"""The encoder that dramatiq uses for the project's messages."""

from typing import Any

import dramatiq
from dramatiq.errors import DecodeError

from shared import wire


class CompactEncoder(dramatiq.Encoder):
    def encode(self, data: dict[str, Any]) -> bytes:
        return wire.encode(data)

    def decode(self, data: bytes) -> dict[str, Any]:
        """Raise `DecodeError`, without the content, for anything but a JSON object."""
        try:
            return wire.decode(data)
        except wire.NotAMessage as error:
            raise DecodeError(f"not a message: {error}", data, None) from None  # type: ignore[no-untyped-call]  # dramatiq leaves its errors untyped
