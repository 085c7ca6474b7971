"""The servers of a database: a primary and its standbys, tried in random order.

libpq would try them in the order of the URL, and gives no look at the timeline of each. A watch
beside the work asks all of them: where another server has become the primary, connections to the
old one are given up at once, also where it hangs.
"""

import contextlib
import random
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import psycopg2
import psycopg2.extensions
from sqlalchemy import URL

from shared.db.connections.deadlines import TimedConnection, cut, timed
from shared.db.connections.timelines import (
    OldTimeline,
    read_timeline,
    refuse_old,
    seen,
)
from shared.db_url import servers_of

# A server that hangs costs this once; for a while it is then asked last.
_CONNECT_SECONDS = 3
_AVOIDED_SECONDS = 30.0
_LOOK_SECONDS = 5.0
_OF_ONE_SERVER = frozenset({"host", "port"})

Server = tuple[str, int]


class Servers:
    """The servers of one URL, of which one takes writes."""

    def __init__(self, url: URL) -> None:
        [_, own] = url.get_dialect()().create_connect_args(url)
        self._own = {name: own[name] for name in own if name not in _OF_ONE_SERVER}
        self._only = {name: own[name] for name in own if name in _OF_ONE_SERVER}
        self._servers = servers_of(url)
        self._failed_at: dict[Server, float] = {}
        self._open: weakref.WeakSet[TimedConnection] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._watches: dict[Server, threading.Thread] = {}
        self._are_compared = False

    def connect(self, parameters: dict[str, Any]) -> psycopg2.extensions.connection:
        """Connect with these parameters. Raises OperationalError where no server will do.

        OldTimeline is one: a server takes writes, and another one has been promoted since.
        """
        if len(self._servers) == 1:
            return self._checked(psycopg2.connect(**{**self._own, **self._only, **parameters}))
        self._compare(parameters)
        reasons, old = [], None
        for server in self._in_order():
            try:
                connection = self._checked(self._dial(server, parameters), server)
            except OldTimeline as error:
                old = str(error)
            except (psycopg2.OperationalError, OSError) as error:
                self._failed_at[server] = time.monotonic()
                reasons.append(f"{_named(server)}: {_first_line(error)}")
            else:
                self._failed_at.pop(server, None)
                self._watch(parameters)
                return connection
        if old is not None:
            raise OldTimeline(old)
        raise psycopg2.OperationalError("; ".join(reasons))

    def _in_order(self) -> list[Server]:
        """Return the servers in random order, those that failed lately last."""
        now = time.monotonic()
        shuffled = random.sample(self._servers, len(self._servers))
        return sorted(
            shuffled, key=lambda each: now - self._failed_at.get(each, -1e9) < _AVOIDED_SECONDS
        )

    def _checked(
        self, connection: psycopg2.extensions.connection, server: Server | None = None
    ) -> psycopg2.extensions.connection:
        timeline = read_timeline(connection)
        try:
            refuse_old(timeline, _named(server or self._servers[0]))
        except OldTimeline:
            connection.close()
            raise
        if isinstance(connection, TimedConnection):
            connection.timeline = timeline
            self._open.add(connection)
        return connection

    def _dial(
        self, server: Server, parameters: dict[str, Any], **further: object
    ) -> psycopg2.extensions.connection:
        """Connect to one server, at any of its addresses. Raises OSError where its name is gone."""
        host, port = server
        place: dict[str, object] = {"host": host, "port": port}
        if not host.startswith("/"):
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
            place["host"] = ",".join([host] * len(addresses))
            place["hostaddr"] = ",".join(addresses)
        bounded = {"connect_timeout": _CONNECT_SECONDS}
        connection: psycopg2.extensions.connection = psycopg2.connect(
            **{**self._own, **parameters, **place, **bounded, **further}
        )
        return connection

    def _look(self, server: Server, parameters: dict[str, Any]) -> None:
        """Note the timeline of a server, whether it takes writes or not."""
        with contextlib.suppress(psycopg2.Error, OSError):
            limits = {"connection_factory": timed(_CONNECT_SECONDS)}
            connection = self._dial(server, parameters, target_session_attrs="any", **limits)
            with contextlib.closing(connection):
                read_timeline(connection)

    def _compare(self, parameters: dict[str, Any]) -> None:
        """Look at every server once in the life of this process, all at the same time."""
        with self._lock:
            if self._are_compared:
                return
            looks = [
                threading.Thread(target=self._look, args=(server, parameters), daemon=True)
                for server in self._servers
            ]
            for look in looks:
                look.start()
            for look in looks:
                look.join()
            self._are_compared = True

    def _watch(self, parameters: dict[str, Any]) -> None:
        """Look at every server from time to time, as long as there are connections."""
        with self._lock:
            for server in self._servers:
                if server not in self._watches:
                    self._watches[server] = threading.Thread(
                        target=self._go_on_looking,
                        args=(server, parameters),
                        name="timelines",
                        daemon=True,
                    )
                    self._watches[server].start()

    def _go_on_looking(self, server: Server, parameters: dict[str, Any]) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            with self._lock:
                if not any(not each.closed for each in list(self._open)):
                    del self._watches[server]
                    return
            self._look(server, parameters)
            for connection in self._outlived():
                cut(connection, "another server is the primary: its connection is given up")

    def _outlived(self) -> Iterator[TimedConnection]:
        for each in list(self._open):
            if not each.closed and each.timeline and seen.beyond(each.timeline) is not None:
                self._open.discard(each)
                yield each


def _named(server: Server) -> str:
    host, port = server
    return f"{host or 'this machine'}:{port}"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
