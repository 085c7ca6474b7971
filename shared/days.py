"""The time zone of INSEE, of imports and of people. Pure."""

import datetime as dt
from zoneinfo import ZoneInfo

# INSEE writes its instants in it, without an offset, and its day is the day of an import.
TIME_ZONE = "Europe/Paris"
FRANCE = ZoneInfo(TIME_ZONE)


def day_in_france(instant: dt.datetime) -> dt.date:
    return instant.astimezone(FRANCE).date()


def end_of(day: dt.date) -> dt.datetime:
    """Return the last second of the day, without an offset, as INSEE writes its instants."""
    return dt.datetime.combine(day, dt.time(23, 59, 59))
