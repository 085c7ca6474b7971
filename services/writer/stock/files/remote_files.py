"""A file behind a URL, read like a local one; reading goes on after a broken connection."""

import io
import re
import time
from http import HTTPStatus
from urllib.parse import urlsplit

from shared.backoff import linear
from shared.errors import UserError
from shared.http.client import Bounds, HttpClient, Stream
from shared.http.egress import Egress
from shared.http.errors import Forbidden, HttpError, Unreachable, Unsendable, Untrusted

# The largest file has 10 GB. Each block of a file has its own time.
_BOUNDS = Bounds(seconds=60, body_bytes=1 << 36, connect_seconds=10)
_BLOCK_SECONDS = 60.0
_ATTEMPTS = 5
_PAUSE_SECONDS = 1.0
# A jump forward that is shorter than this costs less when the bytes between are read.
_READ_ON_BYTES = 1 << 20
_LENGTH = re.compile(r"[0-9]{1,15}")
_BUSY = frozenset({429, 500, 502, 503, 504})


class RemoteFile(io.RawIOBase):
    """One GET brings the bytes in order; a jump of the position sends another one.

    After a broken connection a GET with Range goes on, as long as the file is the same one. Where
    the server serves no ranges, `seek` is refused; `size` is None where it does not tell the size.
    """

    def __init__(self, url: str, egress: Egress) -> None:
        """Ask for the file. Raises UserError."""
        super().__init__()
        self.name = without_secrets(url)
        self._url = url
        self._http = HttpClient(_BOUNDS, egress=egress, headers={"Accept-Encoding": "identity"})
        self._position = 0
        self._at = 0
        self._response = self._get(0)
        # The file behind a permanent link changes each month: later requests go to the file itself.
        self._url = self._response.url
        self._ranges = self._response.status == HTTPStatus.PARTIAL_CONTENT
        self.last_modified = self._response.headers.get("Last-Modified")
        self.version = _version(self._response)
        self.size = _size(self._response)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._ranges and self.size is not None

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if not self.seekable():
            raise io.UnsupportedOperation("the server serves no ranges")
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size or 0}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed: any buffer
        if self.size is not None and self._position >= self.size:
            return 0
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._move()
                data = self._response.read_block(len(buffer), seconds=_BLOCK_SECONDS)
            except HttpError as error:
                self._pause_or_raise(attempt, str(error))
                continue
            if data or not len(buffer) or self.size is None:
                buffer[: len(data)] = data
                self._position += len(data)
                self._at = self._position
                return len(data)
            self._pause_or_raise(attempt, "the connection ended early")
        raise AssertionError("the last attempt raises")

    def close(self) -> None:
        if not self.closed:
            self._response.close()
            self._http.close()
        super().close()

    def _pause_or_raise(self, attempt: int, why: str) -> None:
        self._response.close()
        self._at = -1
        if attempt == _ATTEMPTS or not self._ranges:
            raise UserError(
                f"{self.name}: the transfer broke off at byte {self._position} ({why}): "
                "run the command again, it goes on with what is stored"
            )
        time.sleep(linear(_PAUSE_SECONDS, attempt - 1))

    def _move(self) -> None:
        """Bring the response to the position of the reader."""
        ahead = self._position - self._at
        if self._at >= 0 and 0 < ahead <= _READ_ON_BYTES:
            ahead -= len(self._response.read_block(ahead, seconds=_BLOCK_SECONDS))
            self._at = self._position - ahead
        if self._at == self._position:
            return
        self._response.close()
        self._response = self._get(self._position)
        self._at = self._position
        if self._response.status != HTTPStatus.PARTIAL_CONTENT:
            raise UserError(f"{self.name}: the server stopped serving ranges: run it again")
        if (_version(self._response), _size(self._response)) != (self.version, self.size):
            raise UserError(f"{self.name}: the file changed while it was read: run it again")

    def _get(self, position: int) -> Stream:
        headers = {"Range": f"bytes={position}-"}
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                response = self._http.open("GET", self._url, headers=headers)
            except (Forbidden, Unsendable, Untrusted) as error:
                raise UserError(f"{self.name}: {error}") from None
            except HttpError as error:
                if attempt == _ATTEMPTS:
                    raise UserError(f"{self.name}: {_reason(error)}") from None
            else:
                if response.status not in _BUSY or attempt == _ATTEMPTS:
                    break
                response.close()
            time.sleep(linear(_PAUSE_SECONDS, attempt - 1))
        if response.status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
            response.close()
            raise UserError(f"{self.name}: the server answers {response.status}")
        return response


def _version(response: Stream) -> str:
    return response.headers.get("ETag") or response.headers.get("Last-Modified") or ""


def _size(response: Stream) -> int | None:
    length = (
        response.headers.get("Content-Range", "").rpartition("/")[2]
        if response.status == HTTPStatus.PARTIAL_CONTENT
        else response.headers.get("Content-Length", "")
    )
    return int(length) if _LENGTH.fullmatch(length) else None


def _reason(error: HttpError) -> str:
    return str(error) if isinstance(error, Unreachable) else f"no answer: {error}"


def without_secrets(url: str) -> str:
    """Return the URL without its possible secrets: user, password, query. Raises UserError."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise UserError("the URL is none that can be read") from None
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
