"""A connection to Redis, for values that may be lost: it is asked for one, or given one to keep.

Whatever goes wrong (Redis is away, slow, full, talks nonsense) is a value that is not there. Nobody
waits for a connection: it is opened beside the requests. Two commands need no library.
"""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import structlog

from services.portal.settings import RedisAddress

log = structlog.get_logger()

_LARGEST_BYTES = 1_000_000
_MOST_ASKED = 500
_MOST_UNSENT_BYTES = 4_000_000
_OPENING_SECONDS = 2.0
_REST_SECONDS = 5.0


class RedisConnection(NamedTuple):
    writer: asyncio.StreamWriter
    asked: deque[asyncio.Future[bytes | None] | None]
    """Whoever waits for an answer, in order; None where nobody does."""


class Redis:
    def __init__(
        self,
        url: str,
        *,
        patience_seconds: float = 0.1,
        rest_seconds: float = _REST_SECONDS,
        monotonic_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = RedisAddress.of(url)
        self._patience_seconds = patience_seconds
        self._rest_seconds = rest_seconds
        self._now = monotonic_seconds
        self._rests_until = float("-inf")
        self._connection: RedisConnection | None = None
        self._task: asyncio.Task[None] | None = None

    async def get(self, name: bytes) -> bytes | None:
        """Return what is kept under the name, if it comes within the patience."""
        connection = self._opened()
        if connection is None or len(connection.asked) >= _MOST_ASKED:
            return None
        answer = asyncio.get_running_loop().create_future()
        connection.asked.append(answer)
        connection.writer.write(_command(b"GET", name))
        try:
            async with asyncio.timeout(self._patience_seconds):
                found: bytes | None = await answer
                return found
        except TimeoutError:
            connection.writer.transport.abort()
            return None

    def put(self, name: bytes, value: bytes, *, seconds: int) -> None:
        """Have a value kept; nobody waits until it is."""
        connection = self._opened()
        if connection is None or len(value) > _LARGEST_BYTES:
            return
        if connection.writer.transport.get_write_buffer_size() < _MOST_UNSENT_BYTES:
            connection.asked.append(None)
            connection.writer.write(_command(b"SET", name, value, b"EX", str(seconds).encode()))

    def close(self) -> None:
        self._rests_until = float("inf")
        if self._task is not None:
            self._task.cancel()

    def _opened(self) -> RedisConnection | None:
        """Return the connection; where there is none, begin to open one, unless it rests."""
        if self._connection is None and self._task is None and self._now() >= self._rests_until:
            self._task = asyncio.get_running_loop().create_task(self._talk())
        return self._connection

    async def _talk(self) -> None:
        """Open the connection, and hand out answers until it is lost."""
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(_OPENING_SECONDS):
                host, port = self._address.host, self._address.port
                context = ssl.create_default_context() if self._address.is_encrypted else None
                reader, writer = await asyncio.open_connection(host, port, ssl=context)
                await self._greet(reader, writer)
            self._connection = RedisConnection(writer, deque())
            while True:
                answer = await _read_answer(reader)
                waiting = self._connection.asked.popleft()
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
        except (OSError, EOFError, ValueError, IndexError, asyncio.LimitOverrunError) as error:
            log.warning("Redis is away: pages are made without it", error=type(error).__name__)
        finally:
            self._end(writer)

    def _end(self, writer: asyncio.StreamWriter | None) -> None:
        connection, self._connection, self._task = self._connection, None, None
        self._rests_until = max(self._rests_until, self._now() + self._rest_seconds)
        if writer is not None:
            writer.transport.abort()
        for waiting in connection.asked if connection is not None else ():
            if waiting is not None and not waiting.done():
                waiting.set_result(None)

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        login, database = self._address.login, self._address.database
        greetings = [_command(b"AUTH", *map(str.encode, login))] if login else []
        if database:
            greetings.append(_command(b"SELECT", str(database).encode()))
        for greeting in greetings:
            writer.write(greeting)
            if await reader.readuntil(b"\r\n") != b"+OK\r\n":
                raise ConnectionRefusedError


def _command(*parts: bytes) -> bytes:
    head = b"*%d\r\n" % len(parts)
    return head + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


async def _read_answer(reader: asyncio.StreamReader) -> bytes | None:
    """Return a value; None for any other answer. Raises ValueError for what Redis never says."""
    line = await reader.readuntil(b"\r\n")
    kind, told = line[:1], line[1:-2]
    if kind in {b"+", b"-"}:
        return None
    if kind != b"$":
        raise ValueError("no answer of Redis")
    length = int(told)
    if length == -1:
        return None
    if not 0 <= length <= _LARGEST_BYTES:
        raise ValueError("no value of ours")
    return (await reader.readexactly(length + 2))[:-2]
