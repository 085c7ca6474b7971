"""Cron expressions in French time. Pure: the time is always given."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cronsim import CronSim

from shared.days import FRANCE


@dataclass(frozen=True)
class Schedule:
    """A cron expression; a time of day that the clock skips in spring comes right after the gap."""

    expression: str

    def latest(self, now: datetime) -> datetime:
        """Return the latest slot that is due by `now`; `now` itself may be one."""
        # The microsecond makes the search backwards begin at this second, not before it.
        local = now.astimezone(FRANCE).replace(microsecond=1)
        return next(CronSim(self.expression, local, reverse=True)).astimezone(UTC)

    def next(self, now: datetime) -> datetime:
        """Return the first slot after `now`."""
        return next(CronSim(self.expression, now.astimezone(FRANCE))).astimezone(UTC)


def daily_at(time_of_day: str) -> Schedule:
    """Return the schedule of a time like 07:45."""
    hour, minute = time_of_day.split(":")
    return Schedule(f"{int(minute)} {int(hour)} * * *")
