"""Retry-After is read in each of its shapes; nonsense is no time."""

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
