"""Messages on the wire: JSON, compressed where that pays; plain JSON is read as well."""

import threading

import dramatiq
import orjson
import zstandard
from dramatiq.encoder import MessageData
from dramatiq.errors import DecodeError

_COMPRESS_FROM_BYTES = 1024
_LEVEL = 3
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# A slice of 500 records is 1 to 2 MB; a frame that claims more than this is no message of ours.
_MAX_DECODED_BYTES = 64 * 1024 * 1024


class CompactEncoder(dramatiq.Encoder):
    def __init__(self) -> None:
        # zstandard's contexts are reusable but not thread-safe.
        self._local = threading.local()

    def encode(self, data: MessageData) -> bytes:
        plain = orjson.dumps(data)
        if len(plain) < _COMPRESS_FROM_BYTES:
            return plain
        return self._compressor().compress(plain)

    def decode(self, data: bytes) -> MessageData:
        """Raise `DecodeError`, without the content, on anything but a JSON object."""
        try:
            decoded = orjson.loads(self._plain(data))
        except (orjson.JSONDecodeError, zstandard.ZstdError) as error:
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


def _refusal(why: str, data: bytes) -> DecodeError:
    return DecodeError(f"not a message: {why}", data, None)  # type: ignore[no-untyped-call]  # dramatiq leaves its errors untyped
