"""The period that holds on a day, and the day of the next one."""

import datetime as dt
from typing import Any

import pytest

from shared.sirene.dates import LAST_DAY
from shared.sirene.mapping.periods import Held, held_on

TODAY = dt.date(2026, 11, 30)
CREATED = dt.date(2015, 3, 2)


def _period(start: str | None, end: str | None = None) -> dict[str, Any]:
    return {"dateDebut": start, "dateFin": end}


@pytest.mark.parametrize(
    ("periods", "held"),
    [
        ([], Held(None, None)),
        ([_period("2020-01-01"), _period("2015-03-02", "2019-12-31")], Held(0, None)),
        ([_period("2026-11-30")], Held(0, None)),
        ([_period("2026-12-01")], Held(None, dt.date(2026, 12, 1))),
        ([_period("2026-12-01T00:00:00")], Held(None, dt.date(2026, 12, 1))),
        (
            [_period("2026-12-31"), _period("2015-03-02", "2026-12-30")],
            Held(1, dt.date(2026, 12, 31)),
        ),
        (
            [
                _period("2027-06-01"),
                _period("2027-01-01", "2027-05-31"),
                _period("2015-03-02", "2026-12-31"),
            ],
            Held(2, dt.date(2027, 1, 1)),
        ),
        ([_period("7490-01-01")], Held(0, None)),
        ([_period("0001-01-01")], Held(0, None)),
        ([_period(None)], Held(0, None)),
        ([_period("2015-03-02", "2019-12-31")], Held(None, None)),
        ([_period("2015-03-02", "7490-12-31")], Held(None, None)),
        (
            [_period("2027-01-01"), _period("2015-03-02", "2019-12-31")],
            Held(None, dt.date(2027, 1, 1)),
        ),
    ],
)
def test_the_newest_period_that_has_begun_and_not_ended_holds(
    periods: list[dict[str, Any]], held: Held
) -> None:
    assert held_on(TODAY, periods, lambda: CREATED) == held


@pytest.mark.parametrize("start", [None, "7490-01-01"])
def test_a_period_without_a_date_begins_with_its_establishment(start: str | None) -> None:
    ahead = dt.date(2027, 1, 15)
    assert held_on(TODAY, [_period(start)], lambda: ahead) == Held(None, ahead)
    assert held_on(ahead, [_period(start)], lambda: ahead) == Held(0, None)


def test_on_the_last_day_the_newest_period_holds() -> None:
    periods = [_period("2027-06-01"), _period("2015-03-02", "2027-05-31")]
    assert held_on(LAST_DAY, periods, lambda: CREATED) == Held(0, None)
