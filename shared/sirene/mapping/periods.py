"""The periods of a record: the one that holds on a day, and the day of the next one. Pure."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import NamedTuple

from shared.sirene.dates import FIRST_DAY, is_plausible, start_of
from shared.sirene.values import JsonObject, MappingError, json_object, sent_date

Created = Callable[[], dt.date | None]
_FIRST_DAY = FIRST_DAY.isoformat()


class Held(NamedTuple):
    """`place` is that of the period that holds, None where none does.

    `turns_on` is the day on which another period begins to hold.
    """

    place: int | None
    turns_on: dt.date | None


def periods_of(periods: object) -> Sequence[JsonObject]:
    """Return the periods in INSEE's order: the newest first."""
    if periods is None:
        return ()
    if not isinstance(periods, list):
        raise MappingError("bad_type", "the periods are not a list")
    return [json_object(period, "periode") for period in periods]


def held_on(on: dt.date, periods: Sequence[JsonObject], created: Created) -> Held:
    """Return which of the periods holds on the day.

    `created` reads the start of a period whose own date is missing or cannot be true: rarely one.
    """
    turns_on: dt.date | None = None
    for place, period in enumerate(periods):
        if (start := _start_after(on, period, created)) is not None:
            turns_on = start if turns_on is None else min(turns_on, start)
        elif _is_held(on, period):
            return Held(place, turns_on)
    return Held(None, turns_on)


def _start_after(on: dt.date, period: JsonObject, created: Created) -> dt.date | None:
    """Return the start of a period that lies ahead; None for one that has begun."""
    sent = period.get("dateDebut")
    if type(sent) is str and _FIRST_DAY <= sent <= on.isoformat():
        return None
    start = start_of(sent_date(period, "dateDebut"), created())
    return start if start is not None and start > on else None


def _is_held(on: dt.date, period: JsonObject) -> bool:
    if period.get("dateFin") is None:
        return True
    end = sent_date(period, "dateFin")
    return end is not None and is_plausible(end) and end >= on
