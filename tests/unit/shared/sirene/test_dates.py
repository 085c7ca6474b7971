"""A date that cannot be true says nothing."""

import datetime as dt

import pytest

from shared.sirene.dates import is_plausible, start_of, told_creation

CREATED = dt.date(2015, 3, 2)


@pytest.mark.parametrize(
    ("day", "plausible"),
    [
        (None, False),
        (dt.date(1, 1, 1), False),
        (dt.date(1599, 12, 31), False),
        (dt.date(1665, 1, 1), True),
        (dt.date(2027, 1, 15), True),
        (dt.date(2101, 1, 1), False),
        (dt.date(7490, 1, 1), False),
    ],
)
def test_only_years_in_which_an_establishment_can_begin_are_plausible(
    day: dt.date | None, plausible: bool
) -> None:
    assert is_plausible(day) is plausible


@pytest.mark.parametrize("date_debut", [None, dt.date(7490, 1, 1), dt.date(1, 1, 1)])
def test_a_period_without_a_plausible_date_begins_with_the_establishment(
    date_debut: dt.date | None,
) -> None:
    assert start_of(date_debut, CREATED) == CREATED


@pytest.mark.parametrize(
    ("date_creation", "date_debut", "told"),
    [
        (CREATED, CREATED, CREATED),
        (CREATED, dt.date(2020, 1, 1), CREATED),
        (CREATED, None, CREATED),
        (CREATED, dt.date(1, 1, 1), CREATED),
        (CREATED, dt.date(2010, 1, 1), None),
        (dt.date(7490, 1, 1), CREATED, None),
        (dt.date(1, 1, 1), CREATED, None),
        (None, CREATED, None),
    ],
)
def test_a_creation_is_told_where_it_can_be_true(
    date_creation: dt.date | None, date_debut: dt.date | None, told: dt.date | None
) -> None:
    assert told_creation(date_creation, date_debut) == told
