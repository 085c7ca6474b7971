"""When a day of a daily import begins and ends, as SQL over `import_runs r`.

The calendar's days are those of France, 23 or 25 hours long twice a year; a run may have shorter
ones instead, of `day_seconds`, which follow one another from the epoch on.
"""

from zoneinfo import ZoneInfo

# INSEE writes its instants in it, without an offset, and its day is the day of an import.
TIME_ZONE = "Europe/Paris"
FRANCE = ZoneInfo(TIME_ZONE)


def day_start(at: str) -> str:
    """`at` is an SQL expression for an instant, made of constants and parameters only."""
    return f"""CASE WHEN r.day_seconds IS NULL
      THEN date_trunc('day', {at}, '{TIME_ZONE}')
      ELSE to_timestamp(floor(extract(epoch FROM {at}) / r.day_seconds) * r.day_seconds) END"""


def day_end(at: str) -> str:
    """The instant at which the next day begins."""
    return f"""CASE WHEN r.day_seconds IS NULL
      THEN (date_trunc('day', {at} AT TIME ZONE '{TIME_ZONE}') + interval '1 day')
        AT TIME ZONE '{TIME_ZONE}'
      ELSE to_timestamp((floor(extract(epoch FROM {at}) / r.day_seconds) + 1) * r.day_seconds)
      END"""
