"""HTTP with bounds: the request line, the headers, the connections, and the time a client takes.

uvicorn's own protocol waits for the end of a request, and for a client that reads nothing, without
an end. Where no place is left, whoever has let the server wait longest gives way: a few hundred
slow clients keep nobody out, who sends his request at once.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TARGET_BYTES = 4_096
HEADER_BYTES = 16_384
HEADERS = 64
# The parser keeps a header until it is whole, however long it is.
_HEAD_BYTES = TARGET_BYTES + 2 * HEADER_BYTES
_REFUSALS = {
    408: b"408 Request Timeout",
    414: b"414 URI Too Long",
    431: b"431 Request Header Fields Too Large",
    503: b"503 Service Unavailable\r\nretry-after: 1",
}


class BoundedConfig(uvicorn.Config):
    """uvicorn's settings, and the bounds. `patience_seconds` is for each phase of a request."""

    def __init__(
        self, app: Any, *, patience_seconds: float, most_connections: int, **options: Any
    ) -> None:
        super().__init__(app, http=BoundedProtocol, **options)
        self.patience_seconds = patience_seconds
        self.most_connections = most_connections
        self.awaited: dict[BoundedProtocol, Callable[[], None]] = {}
        """Connections whose clients are awaited, the longest first, and how each is ended."""


class BoundedProtocol(HttpToolsProtocol):
    """Refuses what is too long or too much, and ends what is too slow."""

    config: BoundedConfig

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._has_begun = False
        self._is_in_head = False
        self._head_bytes = 0
        self._header_bytes = 0
        self._is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn names it so
        super().connection_made(transport)
        if len(self.connections) > self.config.most_connections and not self._makes_room():
            self._refuse(503)
        else:
            self._expect(self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        if self._deadline is None:
            self._expect(self._give_up)
        was_in_head = self._is_in_head
        super().data_received(data)
        if was_in_head and self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_BYTES:
                self._refuse(431)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._has_begun = self._is_in_head = True
        self._header_bytes = self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > TARGET_BYTES:
            self._refuse(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > HEADER_BYTES or len(self.headers) > HEADERS:
            self._refuse(431)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        if not self._is_refused:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._has_begun = False
        if not self._is_refused:
            self._expect_nothing()
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing() and not self.pipeline and self._deadline is None:
            # uvicorn ends what stays idle too long.
            self.config.awaited[self] = self._give_up

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect(self._drop)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._expect_nothing()

    def _makes_room(self) -> bool:
        """End the connection whose client is awaited longest; return whether there is one."""
        end = next(iter(self.config.awaited.values()), None)
        if end is not None:
            end()
        return end is not None

    def _expect(self, otherwise: Callable[[], None]) -> None:
        """Let the client do its part within the patience."""
        self._expect_nothing()
        self._deadline = self.loop.call_later(self.config.patience_seconds, otherwise)
        self.config.awaited[self] = otherwise

    def _expect_nothing(self) -> None:
        self.config.awaited.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._expect_nothing()
        if not self._has_begun:
            self.transport.close()
        elif self.cycle is None or self.cycle.response_complete:
            self._refuse(408)
        else:
            self._drop()

    def _drop(self) -> None:
        self._expect_nothing()
        self.transport.abort()

    def _refuse(self, status: int) -> None:
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        self._expect_nothing()
        self.transport.write(
            b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % _REFUSALS[status]
        )
        self.transport.close()
