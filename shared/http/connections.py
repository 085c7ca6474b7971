"""Connections whose every read and write ends with the exchange: urllib3's, with such sockets.

The timeouts of requests are those of one read. A server that sends a byte a second outlives them.
"""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from shared.http.egress import is_public
from shared.http.errors import Forbidden, TooLate, TooLong, Unreachable


class Exchange:
    """One exchange with what is left of it; `sent` says that a byte of the request has left."""

    __slots__ = ("_connect_by", "_ends_at", "_public_only", "_wire_bytes", "sent")

    def __init__(
        self, *, seconds: float, connect_seconds: float, wire_bytes: int, public_only: bool
    ) -> None:
        now = time.monotonic()
        self._ends_at = now + seconds
        self._connect_by = min(now + connect_seconds, self._ends_at)
        self._wire_bytes = wire_bytes
        self._public_only = public_only
        self.sent = False

    def seconds_left(self) -> float:
        """Raise TooLate when nothing is left."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TooLate("the answer took too long")
        return left

    def renew(self, *, seconds: float, wire_bytes: int) -> None:
        """Let the exchange go on for this long and this many bytes from now."""
        self._ends_at = time.monotonic() + seconds
        self._wire_bytes = wire_bytes

    def count(self, received_bytes: int) -> None:
        """Raise TooLong when more came than may come: headers, framing and body as sent."""
        self._wire_bytes -= received_bytes
        if self._wire_bytes < 0:
            raise TooLong("the answer is too long")

    def connect(self, host: str, port: int) -> "TimedSocket":
        """Connect to the first address that answers. Raises Unreachable, Forbidden."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise Unreachable("no server has this name") from None
        if self._public_only:
            found = [each for each in found if is_public(str(each[4][0]))]
            if not found:
                raise Forbidden(f"redirects to {host}, which has no public address")
        for number, (family, kind, protocol, _, address) in enumerate(found):
            left = self._connect_by - time.monotonic()
            if left <= 0:
                break
            one = TimedSocket(family, kind, protocol)
            try:
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                one.settimeout(left / (len(found) - number))
                one.connect(address)
                one.settimeout(max(0.01, self._connect_by - time.monotonic()))
            except OSError:
                one.close()
                continue
            one.exchange = self
            return one
        raise Unreachable("no server can be reached there")


class _Present(threading.local):
    """The exchange of this thread: urllib3 hands nothing down to its connections."""

    exchange: Exchange | None = None


_present = _Present()


@contextlib.contextmanager
def exchanging(exchange: Exchange) -> Iterator[None]:
    """Let the connections of this thread belong to this exchange."""
    _present.exchange = exchange
    try:
        yield
    finally:
        _present.exchange = None


class TimedSocket(socket.socket):
    """A socket whose timeout is what is left of its exchange, at each read and write."""

    exchange: Exchange | None = None

    def recv_into(self, *args: Any, **named: Any) -> int:
        exchange = self.exchange
        if exchange is None:
            return super().recv_into(*args, **named)
        self.settimeout(exchange.seconds_left())
        try:
            received_bytes = super().recv_into(*args, **named)
        except TimeoutError:
            raise TooLate("the answer took too long") from None
        exchange.count(received_bytes)
        return received_bytes

    def send(self, *args: Any) -> int:
        with self._sending():
            return super().send(*args)

    def sendall(self, *args: Any) -> None:
        with self._sending():
            super().sendall(*args)

    @contextlib.contextmanager
    def _sending(self) -> Iterator[None]:
        if self.exchange is not None:
            self.settimeout(self.exchange.seconds_left())
            self.exchange.sent = True
        try:
            yield
        except TimeoutError:
            raise TooLate("the server does not take the request") from None


class TlsSocket(TimedSocket, ssl.SSLSocket):
    """The same, encrypted. Its handshake has the time of the connection."""


class _Connection(HTTPConnection):
    sock: Any

    def _new_conn(self) -> socket.socket:
        assert _present.exchange is not None
        return _present.exchange.connect(self._dns_host, self.port)

    def connect(self) -> None:
        super().connect()
        self.sock.exchange = _present.exchange

    def request(self, *args: Any, **named: Any) -> None:
        if self.sock is not None:
            self.sock.exchange = _present.exchange
        super().request(*args, **named)


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


class Adapter(HTTPAdapter):
    """Keeps `pool_size` connections to each server, and tries nothing twice."""

    def __init__(self, *, pool_size: int, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_maxsize=pool_size)

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        super().init_poolmanager(*args, **named, ssl_context=self._context)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **named, ssl_context=self._context)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def cert_verify(self, *_args: Any) -> None:
        """Leave it to the context, which holds the certificates already."""
