"""Messages on the wire: JSON, compressed where that pays; plain JSON is read as well.

Long texts follow the JSON as they are, after a NUL, which no JSON holds: as JSON in JSON, a
slice's records would be escaped and unescaped, sign by sign, for more than it takes to read them.
"""

import threading
from collections.abc import Mapping
from typing import Any

import dramatiq
import orjson
import zstandard
from dramatiq.encoder import MessageData
from dramatiq.errors import DecodeError

_COMPRESS_FROM_BYTES = 1024
_LONG_TEXT = 1024
_TEXTS_OF = "kwargs"
_LEVEL = 3
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# A slice of 500 records is 1 to 2 MB; a frame that claims more than this is no message of ours.
_MAX_DECODED_BYTES = 64 * 1024 * 1024


class CompactEncoder(dramatiq.Encoder):
    def __init__(self) -> None:
        # zstandard's contexts are reusable but not thread-safe.
        self._local = threading.local()

    def encode(self, data: MessageData) -> bytes:
        plain = _packed(data)
        if len(plain) < _COMPRESS_FROM_BYTES:
            return plain
        return self._compressor().compress(plain)

    def decode(self, data: bytes) -> MessageData:
        """Raise `DecodeError`, without the content, on anything but a JSON object."""
        try:
            decoded = _unpacked(self._plain(data))
        except (ValueError, TypeError, KeyError, zstandard.ZstdError) as error:
            raise _refusal(f"{type(error).__name__}", data) from None
        if not isinstance(decoded, dict):
            raise _refusal("no JSON object", data)
        return decoded

    def _plain(self, data: bytes) -> bytes:
        if not data.startswith(_ZSTD_MAGIC):
            return data
        claimed = zstandard.frame_content_size(data)
        if not 0 <= claimed <= _MAX_DECODED_BYTES:
            raise _refusal(f"{claimed} bytes when decompressed", data)
        return self._decompressor().decompress(data)

    def _compressor(self) -> zstandard.ZstdCompressor:
        if not hasattr(self._local, "compressor"):
            self._local.compressor = zstandard.ZstdCompressor(level=_LEVEL)
        compressor: zstandard.ZstdCompressor = self._local.compressor
        return compressor

    def _decompressor(self) -> zstandard.ZstdDecompressor:
        if not hasattr(self._local, "decompressor"):
            self._local.decompressor = zstandard.ZstdDecompressor()
        decompressor: zstandard.ZstdDecompressor = self._local.decompressor
        return decompressor


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
        return orjson.loads(plain)
    start = plain.index(b"\0", end + 1) + 1
    data, lengths = orjson.loads(plain[:end]), orjson.loads(plain[end + 1 : start - 1])
    for name, length in dict(lengths).items():
        data[_TEXTS_OF][name] = plain[start : start + length].decode()
        start += length
    if start != len(plain):
        raise ValueError("more or less than the texts that are announced")
    return data


def _refusal(why: str, data: bytes) -> DecodeError:
    return DecodeError(f"not a message: {why}", data, None)  # type: ignore[no-untyped-call]  # dramatiq leaves its errors untyped
