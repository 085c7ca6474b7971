"""The dates of INSEE's records that can be true, and those that lie ahead. Pure.

INSEE's records hold slips of the pen, such as the years 1 and 7490. Such a date says nothing. The
bounds never move, so that the judgement of a date never changes.
"""

import datetime as dt
from typing import Final

FIRST_DAY: Final = dt.date(1600, 1, 1)
"""Some establishments of today are older than the state that registers them."""
LAST_DAY: Final = dt.date(2100, 12, 31)


def is_plausible(day: dt.date | None) -> bool:
    return day is not None and FIRST_DAY <= day <= LAST_DAY


def start_of(date_debut: dt.date | None, date_creation: dt.date | None) -> dt.date | None:
    """Return the day on which a period began: the creation where its own date says nothing."""
    for day in (date_debut, date_creation):
        if is_plausible(day):
            return day
    return None


def told_creation(date_creation: dt.date | None, date_debut: dt.date | None) -> dt.date | None:
    """Return the date of creation that may be told; None where the current period is older."""
    if date_creation is None or not is_plausible(date_creation):
        return None
    start = start_of(date_debut, date_creation)
    return None if start is not None and date_creation > start else date_creation
