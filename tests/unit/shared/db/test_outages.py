"""A table of what errors of PostgreSQL blame, and the wait for the end of those that pass."""

from collections.abc import Callable

import psycopg2
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.clock import Clock
from shared.db.outages import (
    Blame,
    blamed,
    blames_row,
    is_in_the_way,
    is_outage,
    is_passing,
    persevere,
    slowing_down,
)
from shared.errors import SlowDown
from shared.logs import sqlstate
from tests.sqlstates import error_with, server_error

BLAMES = [
    (error_with("25006"), Blame.SERVER),  # read-only
    (error_with("53100"), Blame.SERVER),  # disk full
    (error_with("53300"), Blame.SERVER),  # too many connections
    (error_with("57P01"), Blame.SERVER),  # an administrator ends the session
    (error_with("57P03"), Blame.SERVER),  # starting up
    (error_with("58030"), Blame.SERVER),  # input or output
    (error_with("08006"), Blame.SERVER),  # connection failure
    (server_error("53100"), Blame.SERVER),  # from a COPY, which is psycopg2's own
    (DBAPIError("SELECT 1", None, psycopg2.OperationalError("refused")), Blame.SERVER),
    (psycopg2.InterfaceError("connection already closed"), Blame.SERVER),
    (PoolTimeoutError(), Blame.SERVER),
    (error_with("57014"), Blame.MOMENT),  # a statement that takes too long
    (error_with("55P03"), Blame.MOMENT),  # a lock that takes too long
    (error_with("55006"), Blame.MOMENT),  # an object in use
    (error_with("40P01"), Blame.MOMENT),  # deadlock
    (error_with("40001"), Blame.MOMENT),  # serialisation failure
    (error_with("25P03"), Blame.MOMENT),  # idle in its transaction
    (server_error("55P03"), Blame.MOMENT),
    (error_with("22001"), Blame.ROW),  # a value too long
    (error_with("23505"), Blame.ROW),  # a key twice
    (error_with("42P01"), Blame.WORK),  # a table that is not there
    (error_with("25P02"), Blame.WORK),  # a transaction that has failed before
    (psycopg2.ProgrammingError("no results"), Blame.WORK),
    (ValueError(), Blame.WORK),
]


@pytest.mark.parametrize(("error", "blame"), BLAMES)
def test_each_error_blames_server_moment_row_or_work(error: Exception, blame: Blame) -> None:
    assert blamed(error) is blame
    assert is_outage(error) is (blame is Blame.SERVER)
    assert is_in_the_way(error) is (blame is Blame.MOMENT)
    assert blames_row(error) is (blame is Blame.ROW)
    assert is_passing(error) is (blame in {Blame.SERVER, Blame.MOMENT})


@pytest.mark.parametrize(("error", "blame"), BLAMES)
def test_what_passes_slows_down_and_names_its_sqlstate(error: Exception, blame: Blame) -> None:
    wanted = SlowDown if blame in {Blame.SERVER, Blame.MOMENT} else type(error)
    with pytest.raises(wanted) as raised, slowing_down():
        raise error
    if wanted is SlowDown and sqlstate(error):
        assert sqlstate(error) in str(raised.value)


class Patient(Clock):
    """A clock whose waits take no time."""

    def __init__(self) -> None:
        waited_seconds = [0.0]
        super().__init__(monotonic_seconds=lambda: sum(waited_seconds))
        object.__setattr__(self, "waited_seconds", waited_seconds)

    waited_seconds: list[float]

    def wait(self, seconds: float) -> bool:
        self.waited_seconds.append(seconds)
        return self.stopping.is_set()


def failing(times: int) -> Callable[[], str]:
    left = [error_with("53100")] * times

    def work() -> str:
        if left:
            raise left.pop()
        return "done"

    return work


def test_work_in_hand_waits_for_the_server_up_to_a_minute() -> None:
    assert persevere(failing(5), Patient()) == "done"
    clock = Patient()
    with pytest.raises(SlowDown):
        persevere(failing(1000), clock)
    assert 30 < clock.monotonic_seconds() <= 60


def test_a_process_that_stops_does_not_wait() -> None:
    clock = Patient()
    clock.stopping.set()
    with pytest.raises(SlowDown):
        persevere(failing(2), clock)
