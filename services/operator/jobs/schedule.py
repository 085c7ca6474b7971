"""When jobs are due: cron expressions in French time. Pure: the time is always given."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cronsim import CronSim

from shared.days import FRANCE


@dataclass(frozen=True)
class Schedule:
    """A cron expression; a time of day that the clock skips in spring comes right after the gap."""

    expression: str

    def latest(self, now: datetime) -> datetime:
        """The latest slot that is due by `now`, which may be one."""
        # With a microsecond the search backwards begins at this second, not before it.
        local = now.astimezone(FRANCE).replace(microsecond=1)
        return next(CronSim(self.expression, local, reverse=True)).astimezone(UTC)

    def next(self, now: datetime) -> datetime:
        """The first slot after `now`."""
        return next(CronSim(self.expression, now.astimezone(FRANCE))).astimezone(UTC)


def daily_at(time_of_day: str) -> Schedule:
    """`time_of_day` is HH:MM."""
    hour, minute = time_of_day.split(":")
    return Schedule(f"{int(minute)} {int(hour)} * * *")
