"""The client of every HTTP request.

An exchange has one deadline over connection, request, headers and body, and one bound in bytes
after decompression. It goes to the address that it was given: no redirect is followed unless its
target is allowed, and no proxy, no .netrc and no certificate of the environment counts. Nothing is
tried twice. The system's resolver alone decides how long a name may take.
"""

import contextlib
import functools
import http.client
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlencode

import certifi
import requests
from urllib3.exceptions import HTTPError as Urllib3Error

from shared.errors import UserError
from shared.http.connections import Adapter, Exchange, TlsSocket, exchanging
from shared.http.egress import Egress, may_carry_secrets
from shared.http.errors import Broken, HttpError, TooLong, Unreachable, Unsendable, Untrusted

_CHUNK_BYTES = 1 << 16
# Status line, headers, and the lines around chunks: a body may come in many small ones.
_FRAMING_BYTES = 1 << 20
_FRAMING_PER_BYTE = 2
_DECODED = frozenset({"", "identity", "gzip", "x-gzip"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Eight characters in a row of a secret are not there by chance.
_TELLING_CHARACTERS = 8
REDACTED = "[redacted]"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The time that one exchange may take, and the bytes of its body as they are read."""

    seconds: float
    body_bytes: int
    connect_seconds: float = 5.0

    @property
    def wire_bytes(self) -> int:
        return _FRAMING_BYTES + _FRAMING_PER_BYTE * self.body_bytes


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer, whatever its status; the names of `headers` have no case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Stream:
    """An answer whose body is read piece by piece."""

    def __init__(self, response: requests.Response, exchange: Exchange, bounds: Bounds) -> None:
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.url = str(response.url)
        self._raw: Any = response.raw
        self._exchange = exchange
        self._left_bytes = bounds.body_bytes

    def read(self) -> bytes:
        """Read the whole body. Raises HttpError."""
        return b"".join(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it comes. Raises HttpError."""
        if self.headers.get("Content-Encoding", "").strip().lower() not in _DECODED:
            raise self._as_sent(Broken("an encoding that was not asked for"))
        # A read that waits for a whole piece would hide how much has come.
        while piece := self._read(lambda: self._raw.read1(_CHUNK_BYTES, decode_content=True)):
            yield piece

    def read_block(self, most_bytes: int, *, seconds: float) -> bytes:
        """Read a block as it was sent, undecoded, within a time of its own. Raises HttpError.

        A file of many gigabytes has no sensible deadline; each of its blocks has one.
        """
        wire_bytes = _FRAMING_BYTES + _FRAMING_PER_BYTE * most_bytes
        self._exchange.renew(seconds=seconds, wire_bytes=wire_bytes)
        return self._read(lambda: self._raw.read(most_bytes, decode_content=False))

    def close(self) -> None:
        """Give the connection back; one whose body was not read to its end is closed."""
        self._raw.close()
        self._raw.release_conn()

    def _read(self, read: Callable[[], bytes]) -> bytes:
        try:
            data = read()
        except HttpError as error:
            raise self._as_sent(error) from None
        except (Urllib3Error, http.client.HTTPException, OSError, ValueError) as error:
            raise self._as_sent(Broken(type(error).__name__)) from None
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            raise self._as_sent(TooLong("the answer is too long"))
        return data

    @staticmethod
    def _as_sent(error: HttpError) -> HttpError:
        error.sent = True
        return error


class HttpClient:
    """Thread-safe. `secret_headers` go only where they are encrypted, or to a host nearby."""

    def __init__(
        self,
        bounds: Bounds,
        *,
        pool_size: int = 1,
        egress: Egress | None = None,
        headers: Mapping[str, str] | None = None,
        secret_headers: Mapping[str, str] | None = None,
    ) -> None:
        self._bounds = bounds
        self._egress = egress or Egress()
        self._secrets = tuple((secret_headers or {}).values())
        self._headers = {
            "Accept-Encoding": "gzip",
            "User-Agent": "sirenade",
            **(headers or {}),
            **(secret_headers or {}),
        }
        context = _context(str(self._egress.https_ca_file or ""))
        self._adapter = Adapter(pool_size=pool_size, context=context)

    def ask(
        self,
        method: str,
        url: str,
        *,
        data: bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        bounds: Bounds | None = None,
    ) -> HttpAnswer:
        """Send a request and read the answer. Raises HttpError."""
        with self.stream(method, url, data=data, headers=headers, bounds=bounds) as stream:
            return HttpAnswer(stream.status, stream.headers, stream.read())

    @contextlib.contextmanager
    def stream(self, method: str, url: str, **more: Any) -> Iterator[Stream]:
        """Yield the answer of `open`, and close it."""
        stream = self.open(method, url, **more)
        try:
            yield stream
        finally:
            stream.close()

    def open(
        self,
        method: str,
        url: str,
        *,
        data: bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        bounds: Bounds | None = None,
    ) -> Stream:
        """Send a request and read status and headers. Raises HttpError."""
        bounds, redirects = bounds or self._bounds, self._egress.redirects
        public_only = self._egress.public_only
        for _ in range(1 if redirects is None else redirects.most + 1):
            request = self._prepared(method, url, data, headers)
            stream = self._send(request, bounds, public_only=public_only)
            if redirects is None or stream.status not in _REDIRECTS:
                return stream
            stream.close()
            url, is_elsewhere = redirects.target(url, stream.headers.get("Location", ""))
            public_only = self._egress.public_only or is_elsewhere
        raise Broken("too many redirects")

    def redacted(self, text: str) -> str:
        """Return a text of the server without the secrets that it may repeat, even in part."""
        for secret in self._secrets:
            size = min(len(secret), _TELLING_CHARACTERS)
            pieces = {re.escape(secret[at : at + size]) for at in range(len(secret) - size + 1)}
            hidden = set[int]()
            for found in re.finditer(f"(?i)(?=({'|'.join(pieces)}))", text):
                hidden.update(range(*found.span(1)))
            if hidden:
                marked = "".join("\0" if at in hidden else each for at, each in enumerate(text))
                text = re.sub("\0+", REDACTED, marked)
        return text

    def close(self) -> None:
        self._adapter.close()

    def _prepared(
        self,
        method: str,
        url: str,
        data: bytes | IO[bytes] | None,
        headers: Mapping[str, str] | None,
    ) -> requests.PreparedRequest:
        try:
            prepared = requests.PreparedRequest()
            prepared.prepare(method, url, {**self._headers, **(headers or {})}, data=data)
            for value in prepared.headers.values():
                value.encode("latin-1")
        except (requests.RequestException, Urllib3Error, ValueError):
            raise Unsendable("address or key cannot be sent") from None
        is_secret = self._secrets or "Authorization" in prepared.headers
        if is_secret and not may_carry_secrets(str(prepared.url)):
            raise Unsendable("a key or password goes over https only")
        return prepared

    def _send(
        self, request: requests.PreparedRequest, bounds: Bounds, *, public_only: bool
    ) -> Stream:
        exchange = Exchange(
            seconds=bounds.seconds,
            connect_seconds=bounds.connect_seconds,
            wire_bytes=bounds.wire_bytes,
            public_only=public_only,
        )
        try:
            with exchanging(exchange):
                response = self._adapter.send(
                    request,
                    stream=True,
                    timeout=(bounds.connect_seconds, bounds.seconds),
                    proxies=self._egress.proxies(str(request.url)),
                )
        except HttpError as error:
            error.sent = exchange.sent
            raise
        except (requests.RequestException, Urllib3Error, OSError, ValueError) as error:
            # The text of the error holds the URL; its class says what matters.
            raise _translated(error, exchange) from None
        return Stream(response, exchange, bounds)


def with_query(url: str, parameters: Mapping[str, str | int | None]) -> str:
    """Return the address with these parameters; those that are None are left out."""
    named = {name: value for name, value in parameters.items() if value is not None}
    return f"{url}?{urlencode(named)}" if named else url


def _translated(error: Exception, exchange: Exchange) -> HttpError:
    if exchange.sent:
        found: HttpError = Broken(type(error).__name__)
    elif isinstance(error, requests.exceptions.SSLError):
        found = Untrusted("no secure connection: check its certificate")
    elif isinstance(error, ValueError):
        found = Unsendable("address or key cannot be sent")
    else:
        found = Unreachable("no server can be reached there")
    found.sent = exchange.sent
    return found


@functools.cache
def _context(ca_file: str) -> ssl.SSLContext:
    """Return the context of this process for these certificates. Raises UserError."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.sslsocket_class = TlsSocket
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as error:
            why = error.strerror if not isinstance(error, ssl.SSLError) else "no certificates"
            raise UserError(f"{ca_file}: {why}") from None
    return context
