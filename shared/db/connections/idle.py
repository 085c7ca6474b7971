"""Connections that were lost while nobody used them: found before the next work, without a ping.

A ping before each work would be a transaction more, half of all that an idle service makes. What a
server says to an idle connection is that it is over: the socket tells it at once. A connection that
was idle for longer is asked; a machine that is gone says nothing.
"""

import select
import time
from typing import Any

import psycopg2
from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

from shared.garbage import collect

_TRUSTED_SECONDS = 15.0
_IDLE_SINCE = "sirenade_idle_since"


def look_before_use(engine: Engine) -> None:
    """Let the engine open a lost connection anew, and all that were opened before it."""

    def checkin(_connection: object, record: Any) -> None:
        record.info[_IDLE_SINCE] = time.monotonic()

    def checkout(connection: Any, record: Any, _proxy: object) -> None:
        since = record.info.get(_IDLE_SINCE)
        if since is None:
            return
        trusted = time.monotonic() - since < _TRUSTED_SECONDS
        if not (trusted and is_silent(connection)) and not _answers(engine, connection):
            raise InvalidatePoolError

    def invalidate(_connection: object, _record: object, _error: object) -> None:
        collect()

    event.listen(engine, "invalidate", invalidate)
    event.listen(engine, "checkin", checkin)
    event.listen(engine, "checkout", checkout)


def is_silent(connection: Any) -> bool:
    """Return whether the server has said nothing to an idle connection."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


def _answers(engine: Engine, connection: Any) -> bool:
    try:
        return bool(engine.dialect.do_ping(connection))
    except psycopg2.Error:
        return False
