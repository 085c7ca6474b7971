"""Cursors: where the next answer begins, opaque to whoever sends them back.

A cursor belongs to one request: with other parameters it is refused, and so is one that was
altered. It holds a position only, so that it needs no secret: whoever makes one sees what a walk
from the beginning shows.
"""

import binascii
import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from services.portal.api.problems import invalid_cursor

Position = Sequence[str | int | float | None]
_MARK_BYTES = 6


def seal(position: Position, request: Mapping[str, Any]) -> str:
    """Return the cursor of this position in the answers to this request."""
    body = orjson.dumps(list(position))
    return urlsafe_b64encode(_mark(body, request) + body).decode("ascii").rstrip("=")


def opened(cursor: str, request: Mapping[str, Any], *kinds: type) -> list[Any]:
    """Return the position of a cursor, whose items are of these kinds. Raises Problem."""
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        body = raw[_MARK_BYTES:]
        position = orjson.loads(body)
    except (binascii.Error, ValueError):
        raise invalid_cursor() from None
    if raw[:_MARK_BYTES] != _mark(body, request) or not isinstance(position, list):
        raise invalid_cursor()
    if kinds and [type(item) for item in position] != list(kinds):
        raise invalid_cursor()
    return position


def _mark(body: bytes, request: Mapping[str, Any]) -> bytes:
    asked = {name: value for name, value in request.items() if value not in (None, (), [])}
    key = hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).digest()
    return hashlib.blake2b(body, digest_size=_MARK_BYTES, key=key).digest()
