"""The errors that are outages, as a table, and the wait for the end of one."""

from collections.abc import Callable

import psycopg2
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.clock import Clock
from shared.db.outages import is_outage, is_waiting, persevere, slowing_down
from shared.errors import SlowDown


class ServerError(psycopg2.Error):
    """psycopg2 fills in a SQLSTATE from the server's answer only."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code

    @property
    def pgcode(self) -> str:  # type: ignore[override]  # an attribute, which only C can set
        return self.code


def error_with(code: str) -> DBAPIError:
    return DBAPIError("SELECT 1", None, ServerError(code))


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (error_with("25006"), True),  # read-only
        (error_with("53100"), True),  # disk full
        (error_with("53300"), True),  # too many connections
        (error_with("57P01"), True),  # an administrator ends the session
        (error_with("57P03"), True),  # starting up
        (error_with("58030"), True),  # input or output
        (error_with("08006"), True),  # connection failure
        (ServerError("53100"), True),  # from a COPY, which is psycopg2's own
        (DBAPIError("SELECT 1", None, psycopg2.OperationalError("refused")), True),
        (psycopg2.InterfaceError("connection already closed"), True),
        (PoolTimeoutError(), True),
        (error_with("57014"), False),  # a statement that takes too long
        (error_with("55P03"), False),  # a lock that takes too long
        (error_with("40P01"), False),  # deadlock
        (error_with("22001"), False),  # a value too long
        (error_with("23505"), False),  # a key twice
        (error_with("42P01"), False),  # a table that is not there
        (ValueError(), False),
    ],
)
def test_each_error_is_the_servers_or_the_works(error: Exception, *, outage: bool) -> None:
    assert is_outage(error) is outage


@pytest.mark.parametrize(
    ("code", "waiting"), [("55P03", True), ("40P01", True), ("57014", False), ("53100", False)]
)
def test_a_lock_of_others_is_in_the_way_for_a_while(code: str, *, waiting: bool) -> None:
    assert is_waiting(error_with(code)) is waiting


def test_an_outage_counts_no_attempt_and_other_errors_stay_what_they_are() -> None:
    with pytest.raises(SlowDown, match="25006"), slowing_down():
        raise error_with("25006")
    with pytest.raises(DBAPIError), slowing_down():
        raise error_with("22001")


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
