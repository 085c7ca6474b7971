"""The time zone of INSEE, of imports and of people. Pure."""

from zoneinfo import ZoneInfo

# INSEE writes its instants in it, without an offset, and its day is the day of an import.
TIME_ZONE = "Europe/Paris"
FRANCE = ZoneInfo(TIME_ZONE)
