"""A deadline for each statement at the client, for a server that hangs and ends nothing itself.

The driver waits without a limit while its machine's kernel sees the connection alive: a server that
is frozen, or whose disk is, would hold a thread for ever. A thread of this module shuts the socket
of a statement that is late, and the driver raises OperationalError, as for any lost connection.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
import psycopg2.extensions
import structlog
from sqlalchemy import Connection, text

from shared.db.connections.timelines import Timeline

log = structlog.get_logger()

GRACE_SECONDS = 15.0
"""Time beyond the server's own limit of a statement: its answer is on its way."""

_LOOK_SECONDS = 0.5
_WITHOUT_LIMIT = text("SET LOCAL statement_timeout = 0")


class _Watch:
    """The statements of this process that are under way, and the thread that looks at them."""

    def __init__(self) -> None:
        self._under_way: dict[int, tuple[float, TimedConnection]] = {}
        self._starting = threading.Lock()
        self._is_started = False

    @contextmanager
    def over(self, connection: psycopg2.extensions.connection) -> Iterator[None]:
        if not isinstance(connection, TimedConnection) or connection.limit_seconds is None:
            yield
            return
        if not self._is_started:
            self._start()
        self._under_way[id(connection)] = (time.monotonic() + connection.limit_seconds, connection)
        try:
            yield
        finally:
            self._under_way.pop(id(connection), None)

    def _start(self) -> None:
        with self._starting:
            if not self._is_started:
                threading.Thread(target=self._look, name="statements", daemon=True).start()
                self._is_started = True

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            now = time.monotonic()
            late = [each for each in list(self._under_way.items()) if each[1][0] < now]
            for key, (_, connection) in late:
                self._under_way.pop(key, None)
                cut(connection, "a statement has no end: its connection is given up")
            # A connection is dropped with its pages: nothing here outlives the turn.
            del late


def cut(connection: "TimedConnection", why: str) -> None:
    """Shut the socket of a connection that another thread may wait at; log why."""
    try:
        descriptor = os.dup(connection.fileno())
    except (OSError, psycopg2.Error):
        return
    log.error(why)
    with socket.socket(fileno=descriptor) as peer, suppress(OSError):
        peer.shutdown(socket.SHUT_RDWR)


_watch = _Watch()


def _begin_anew() -> None:
    """Start another thread in a process that was forked: threads are not inherited."""
    globals()["_watch"] = _Watch()


os.register_at_fork(after_in_child=_begin_anew)


class TimedCursor(psycopg2.extensions.cursor):
    """A cursor whose statements end at the limit of their connection."""

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002  # the driver's name
        with _watch.over(self.connection):
            super().execute(query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        with _watch.over(self.connection):
            super().executemany(query, vars_list)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        with _watch.over(self.connection):
            super().copy_expert(sql, file, size)


class TimedConnection(psycopg2.extensions.connection):
    """A connection whose statements have a limit, None for none; `timed` sets it."""

    usual_seconds: float | None = None
    limit_seconds: float | None = None
    timeline: Timeline | None = None
    """The timeline of its server, as it was when the connection was opened."""

    def commit(self) -> None:
        with _watch.over(self):
            super().commit()
        self.limit_seconds = self.usual_seconds

    def rollback(self) -> None:
        with _watch.over(self):
            super().rollback()
        self.limit_seconds = self.usual_seconds


def timed(statement_timeout_seconds: float) -> type[TimedConnection]:
    """Return the class of connections to a server with this limit, 0 for none."""
    seconds = statement_timeout_seconds + GRACE_SECONDS if statement_timeout_seconds else None

    class Limited(TimedConnection):
        usual_seconds = seconds
        limit_seconds = seconds

    return Limited


def lift_limit(connection: Connection) -> None:
    """Let the statements of this transaction take as long as they need."""
    connection.execute(_WITHOUT_LIMIT)
    driver = connection.connection.driver_connection
    if isinstance(driver, TimedConnection):
        driver.limit_seconds = None
