"""Retry-After is read in each of its shapes and within bounds; nonsense is no time."""

import datetime as dt
from email.utils import format_datetime

import pytest

from services.reviewer.providers.chat import read_retry_after


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "-5",
        "Mon, 99 Foo 99999",
        "Wed, 21 Oct 2015 07:28:00 -0000",
        "Wed, 21 Oct 2015 07:28:00 +99999999999999999999",
    ],
)
def test_a_time_that_makes_no_sense_is_none(value: str) -> None:
    assert read_retry_after({"retry-after": value}) is None


def _date(seconds: float) -> str:
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    return format_datetime(moment, usegmt=True)


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_a_date_is_read_by_the_clock_of_its_server(hours: int) -> None:
    """The clocks may be an hour apart."""
    theirs = 3600 * hours
    headers = {"retry-after": _date(theirs + 40), "date": _date(theirs)}
    assert read_retry_after(headers) == pytest.approx(40, abs=1)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        # Our clock alone: it may be what is wrong.
        ({"retry-after": _date(3540)}, 60),
        ({"retry-after": _date(86_400), "date": _date(0)}, 900),
        ({"retry-after": _date(-30), "date": _date(0)}, None),
        ({"retry-after": _date(-30)}, None),
        ({"retry-after": _date(3540), "date": "yesterday"}, 60),
        ({"retry-after": "0"}, None),
        ({"retry-after": "0.0"}, None),
        ({"retry-after": "0.01"}, 0.25),
        ({"retry-after": "100000"}, 900),
        ({"retry-after-ms": "1"}, 0.25),
    ],
)
def test_a_time_is_within_bounds_and_one_that_is_over_is_none(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert read_retry_after(headers) == seconds
