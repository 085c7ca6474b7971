"""Errors of PostgreSQL by their SQLSTATE: one table says what is to blame, and so what helps.

The server: it is away, lacks resources or takes no writes; wait for it. The moment: others were in
the way; try again. The row: it alone would be refused again. Anything else is a fault of the work.
"""

import enum
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import psycopg2
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.backoff import doubling
from shared.clock import Clock
from shared.errors import SlowDown
from shared.logs import name_of, sqlstate

log = structlog.get_logger()

_T = TypeVar("_T")


class Blame(enum.Enum):
    SERVER = "server"
    MOMENT = "moment"
    ROW = "row"
    WORK = "work"


# A SQLSTATE or the beginning of one; the longest that fits counts.
_BLAMES: Mapping[str, Blame] = {
    "08": Blame.SERVER,  # connection exception
    "22": Blame.ROW,  # data exception
    "23": Blame.ROW,  # integrity constraint violation
    "25006": Blame.SERVER,  # read-only: a standby, or so set by an administrator
    "25P03": Blame.MOMENT,  # a transaction that stood still for too long, as in a frozen process
    "40001": Blame.MOMENT,  # a serialisation failure
    "40P01": Blame.MOMENT,  # a deadlock, which this transaction ended
    "53": Blame.SERVER,  # insufficient resources: disk full, out of memory, too many connections
    "55006": Blame.MOMENT,  # an object that others use
    "55P03": Blame.MOMENT,  # a lock that another transaction holds for too long
    "57014": Blame.MOMENT,  # a statement that took too long, or was cancelled
    "57P": Blame.SERVER,  # shut down, starting, or ended by an administrator
    "58": Blame.SERVER,  # system error, like one of input and output
}
_RETRY_SECONDS = {Blame.SERVER: 15.0, Blame.MOMENT: 5.0}
_MOST_PAUSE_SECONDS = 15.0
# A message that waits longer would meet its actor's time limit.
_PATIENCE_SECONDS = 60.0


def blamed(error: BaseException) -> Blame:
    """Return what is to blame; WORK for an error that is none of a database."""
    if isinstance(error, PoolTimeoutError):
        return Blame.SERVER
    if not isinstance(error, DBAPIError | psycopg2.Error):
        return Blame.WORK
    state = sqlstate(error)
    if state:
        known = (_BLAMES.get(state[:length]) for length in (5, 3, 2))
        return next((blame for blame in known if blame is not None), Blame.WORK)
    # The connection was lost before there was a SQLSTATE.
    origin = error.orig if isinstance(error, DBAPIError) else error
    lost = isinstance(origin, psycopg2.OperationalError | psycopg2.InterfaceError)
    return Blame.SERVER if lost else Blame.WORK


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


def is_outage(error: BaseException) -> bool:
    """Return whether the same work can succeed once the server is well again."""
    return blamed(error) is Blame.SERVER


def is_in_the_way(error: BaseException) -> bool:
    """Return whether the same work can succeed at once, or once others are done."""
    return blamed(error) is Blame.MOMENT


def is_passing(error: BaseException) -> bool:
    """Return whether the same work can succeed later: nothing is wrong with it."""
    return blamed(error) in _RETRY_SECONDS


def blames_row(error: BaseException) -> bool:
    """Return whether a row is at fault: the same row would be refused again."""
    return blamed(error) is Blame.ROW


@contextmanager
def slowing_down() -> Iterator[None]:
    """Turn an error that passes into SlowDown: the message comes again, no attempt is counted."""
    try:
        yield
    except (DBAPIError, psycopg2.Error, PoolTimeoutError) as error:
        seconds = _RETRY_SECONDS.get(blamed(error))
        if seconds is None:
            raise
        raise SlowDown(f"PostgreSQL: {name_of(error)}", retry_after_seconds=seconds) from None


def persevere(work: Callable[[], _T], clock: Clock) -> _T:
    """Repeat the work while its errors pass, at most for a minute; then raise SlowDown.

    A large message waits here rather than travel to a delay queue and back.
    """
    deadline_seconds = clock.monotonic_seconds() + _PATIENCE_SECONDS
    failures = 0
    while True:
        pause_seconds = doubling(1.0, failures, most=_MOST_PAUSE_SECONDS)
        try:
            with slowing_down():
                return work()
        except SlowDown as error:
            log.warning("waiting for the database", reason=str(error))
            late = clock.monotonic_seconds() + pause_seconds > deadline_seconds
            if late or clock.wait(pause_seconds):
                raise
            failures += 1


def outlast(work: Callable[[], _T], clock: Clock) -> _T:
    """Repeat a command's reading while its errors pass, however long; Ctrl-C ends it."""
    told = False
    while True:
        try:
            return work()
        except (DBAPIError, PoolTimeoutError) as error:
            if not is_passing(error):
                raise
            reason = name_of(error)
        if not told:
            log.warning("waiting for the database", reason=reason)
            told = True
        if clock.wait(1.0):
            raise KeyboardInterrupt
