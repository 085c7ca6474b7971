"""The bytes of a message: JSON, compressed where that pays; plain JSON is read as well. Pure.

Long texts follow the JSON as they are, after a NUL, which no JSON holds. As JSON in JSON, a slice's
records would be escaped and unescaped character by character: this takes longer than to read them.
"""

import threading
from collections.abc import Mapping
from typing import Any

import orjson
import zstandard

from shared.errors import SirenadeError

_COMPRESS_FROM_BYTES = 1024
_LONG_TEXT = 1024
_TEXTS_OF = "kwargs"
_LEVEL = 3
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# A slice of 500 records is 1 to 2 MB; a frame that claims more than this is none of our messages.
_MAX_DECODED_BYTES = 32 * 1024 * 1024
# A decoded value takes some 50 bytes where its text may take two.
_MAX_VALUES = 1_000_000


class _Contexts(threading.local):
    """The contexts of one thread: zstandard's can be used again, but not by two threads."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=_LEVEL)
        self.decompressor = zstandard.ZstdDecompressor()


_contexts = _Contexts()


class NotAMessage(SirenadeError):
    """Raised when bytes hold no message; its text says why and does not quote them."""


def encode(data: Mapping[str, Any]) -> bytes:
    """Raise TypeError for data that JSON cannot hold or that is nested too deeply."""
    plain = _packed(data)
    if len(plain) < _COMPRESS_FROM_BYTES:
        return plain
    return _contexts.compressor.compress(plain)


def decode(body: bytes) -> dict[str, Any]:
    """Raise NotAMessage for anything but a JSON object."""
    try:
        decoded = _unpacked(_plain(body))
    except (ValueError, TypeError, KeyError, zstandard.ZstdError) as error:
        raise NotAMessage(type(error).__name__) from None
    if not isinstance(decoded, dict):
        raise NotAMessage("no JSON object")
    return decoded


def count_values(json: str | bytes) -> int:
    """Return at least the number of values in a JSON text, before they are made.

    Each but the first of its list or object follows a comma. Signs within texts count, too.
    """
    if isinstance(json, str):
        return sum(map(json.count, (",", "[", "{")))
    return sum(map(json.count, (b",", b"[", b"{")))


def _loads(json: bytes) -> Any:
    if len(json) > _MAX_DECODED_BYTES or count_values(json) > _MAX_VALUES:
        raise ValueError("more values than a message has")
    return orjson.loads(json)


def _plain(body: bytes) -> bytes:
    if not body.startswith(_ZSTD_MAGIC):
        return body
    claimed = zstandard.frame_content_size(body)
    if not 0 <= claimed <= _MAX_DECODED_BYTES:
        raise NotAMessage(f"{claimed} bytes when decompressed")
    return _contexts.decompressor.decompress(body)


def _packed(data: Mapping[str, Any]) -> bytes:
    texts = data.get(_TEXTS_OF)
    if not isinstance(texts, dict):
        return orjson.dumps(data)
    long = {
        name: text.encode()
        for name, text in texts.items()
        if isinstance(text, str) and len(text) >= _LONG_TEXT
    }
    if not long:
        return orjson.dumps(data)
    short = {name: value for name, value in texts.items() if name not in long}
    lengths = {name: len(octets) for name, octets in long.items()}
    head = orjson.dumps({**data, _TEXTS_OF: short})
    return b"".join((head, b"\0", orjson.dumps(lengths), b"\0", *long.values()))


def _unpacked(plain: bytes) -> Any:
    end = plain.find(b"\0")
    if end < 0:
        return _loads(plain)
    start = plain.index(b"\0", end + 1) + 1
    data, lengths = _loads(plain[:end]), _loads(plain[end + 1 : start - 1])
    for name, length in dict(lengths).items():
        if type(length) is not int or length < 0:
            raise ValueError("a text of no length")
        data[_TEXTS_OF][name] = plain[start : start + length].decode()
        start += length
    if start != len(plain):
        raise ValueError("more or less than the texts that are announced")
    return data
