"""The time zone of INSEE, of imports and of people. Pure."""

import datetime as dt
from zoneinfo import ZoneInfo

# INSEE writes its instants in it, without an offset, and its day is the day of an import.
TIME_ZONE = "Europe/Paris"
FRANCE = ZoneInfo(TIME_ZONE)


def day_in_france(instant: dt.datetime) -> dt.date:
    return instant.astimezone(FRANCE).date()
