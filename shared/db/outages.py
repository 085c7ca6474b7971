"""Errors of PostgreSQL by their SQLSTATE: outages of the server, and rows at fault.

In an outage the server is away, lacks resources or takes no writes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg2
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.backoff import doubling
from shared.clock import Clock
from shared.errors import SlowDown

log = structlog.get_logger()

_T = TypeVar("_T")

_CLASSES = (
    "08",  # connection exception
    "53",  # insufficient resources: disk full, out of memory, too many connections
    "57P",  # shut down, starting, or ended by an administrator
    "58",  # system error, like one of input and output
    "25006",  # read-only: a standby, or so set by an administrator
)
_ROW_CLASSES = (
    "22",  # data exception
    "23",  # integrity constraint violation
)
_WAITS = (
    "55P03",  # a lock that another transaction holds for too long
    "40P01",  # a deadlock, which this transaction ended
)
_RETRY_SECONDS = 15.0
# A message that waits longer would meet its actor's time limit.
_PATIENCE_SECONDS = 60.0


def sqlstate(error: BaseException) -> str:
    """Return the error's SQLSTATE; empty where the connection was lost before there was one."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return getattr(origin, "pgcode", None) or ""


def is_of_driver(error: BaseException) -> bool:
    """Return whether the error's text is the driver's: it may quote rows and statements."""
    return isinstance(error, DBAPIError | psycopg2.Error)


def message_of(error: BaseException) -> str:
    """Return what may be shown of a driver's error: its first line, which quotes no row.

    The text about a value that is at fault holds the value: its SQLSTATE stands for it.
    """
    origin = error.orig if isinstance(error, DBAPIError) else error
    lines = str(origin).strip().splitlines()
    if blames_row(error) or not lines:
        return f"SQLSTATE {sqlstate(error)}" if sqlstate(error) else "no message"
    # The last one of tries at several addresses got furthest.
    tries = [line for line in lines if line.startswith("connection to server")]
    return tries[-1] if tries else lines[0]


def blames_row(error: BaseException) -> bool:
    """Return whether a row is at fault: the same row would be refused again."""
    return sqlstate(error).startswith(_ROW_CLASSES)


def is_outage(error: BaseException) -> bool:
    """Return whether the same work can succeed once the server is well again."""
    if isinstance(error, PoolTimeoutError):
        return True
    if not isinstance(error, DBAPIError | psycopg2.Error):
        return False
    state = sqlstate(error)
    if state:
        return state.startswith(_CLASSES)
    origin = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(origin, psycopg2.OperationalError | psycopg2.InterfaceError)


def is_waiting(error: BaseException) -> bool:
    """Return whether other transactions were in the way: the same work can succeed after them."""
    return sqlstate(error) in _WAITS


@contextmanager
def slowing_down() -> Iterator[None]:
    """Turn an outage into SlowDown: the message comes again, no attempt is counted."""
    try:
        yield
    except (DBAPIError, psycopg2.Error, PoolTimeoutError) as error:
        if not is_outage(error):
            raise
        raise SlowDown(
            f"PostgreSQL: {sqlstate(error) or type(error).__name__}",
            retry_after_seconds=_RETRY_SECONDS,
        ) from None


def persevere(work: Callable[[], _T], clock: Clock) -> _T:
    """Repeat the work through an outage, at most for a minute; then raise SlowDown.

    A large message waits here rather than travel to a delay queue and back.
    """
    deadline_seconds = clock.monotonic_seconds() + _PATIENCE_SECONDS
    failures = 0
    while True:
        pause_seconds = doubling(1.0, failures, most=_RETRY_SECONDS)
        try:
            with slowing_down():
                return work()
        except SlowDown as error:
            log.warning("waiting for the database", reason=str(error))
            late = clock.monotonic_seconds() + pause_seconds > deadline_seconds
            if late or clock.wait(pause_seconds):
                raise
            failures += 1
