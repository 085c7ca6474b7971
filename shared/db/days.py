"""The beginning and end of a day of a daily import, as SQL over `import_runs r`.

A day is one of France's calendar, of 23 or 25 hours twice a year. A run with `day_seconds` has days
of that length instead; they follow one another from the epoch on.
"""

from shared.days import TIME_ZONE

MIDNIGHT = f"date_trunc('day', now(), '{TIME_ZONE}')"
"""SQL for the beginning of today in France."""


def day_start(at: str) -> str:
    """Return SQL for the beginning of the day of `at`, which is SQL without values of users."""
    return f"""CASE WHEN r.day_seconds IS NULL
      THEN date_trunc('day', {at}, '{TIME_ZONE}')
      ELSE to_timestamp(floor(extract(epoch FROM {at}) / r.day_seconds) * r.day_seconds) END"""


def day_end(at: str) -> str:
    """Return SQL for the beginning of the next day."""
    return f"""CASE WHEN r.day_seconds IS NULL
      THEN (date_trunc('day', {at} AT TIME ZONE '{TIME_ZONE}') + interval '1 day')
        AT TIME ZONE '{TIME_ZONE}'
      ELSE to_timestamp((floor(extract(epoch FROM {at}) / r.day_seconds) + 1) * r.day_seconds)
      END"""
