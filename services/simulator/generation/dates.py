"""The dates of the register: creations, treatments, closings, and some that cannot be."""

from datetime import date, timedelta

from services.simulator.errors import BadOptionError
from services.simulator.generation.dice import Dice

UNKNOWN = "1900-01-01"
MASS_DAY = "2025-12-06"

# INSEE's own dates of changes of nomenclature and of yearly revisions.
NAF_REV2_START = "2008-01-01"
NAF_REV1_START = "2003-01-01"
NAF_1993_START = "1993-01-01"

_SUNDAY = 6


class Calendar:
    """Everything is dated relative to `day`, the last day whose treatments are published."""

    def __init__(self, day: str) -> None:
        try:
            self._today = date.fromisoformat(day)
        except ValueError as error:
            raise BadOptionError(f"no such day: {day}") from error
        self.day = day
        past = (self._today - timedelta(days=back) for back in range(730))
        self._worked = [d.isoformat() for d in past if d.weekday() != _SUNDAY]

    def creation(self, year: int, dice: Dice) -> str:
        """Draw a date in `year`: unknown for some old ones, rarely in the near future."""
        unknown, future = dice.chance(80), dice.chance(4)
        drawn = date(year, 1, 1) + timedelta(days=dice.below(365))
        if unknown and year < 1990:  # noqa: PLR2004 - before the register was computerised
            return UNKNOWN
        if future:
            return (self._today + timedelta(days=1 + dice.below(60))).isoformat()
        return min(drawn, self._today).isoformat()

    def between(self, start: str, end: str, dice: Dice) -> str:
        """Draw a date after `start` and at most `end`; the day after `start` where none is left."""
        first = date.fromisoformat(start)
        days = (date.fromisoformat(end) - first).days
        return (first + timedelta(days=1 + dice.below(max(days, 1)))).isoformat()

    def after(self, start: str, dice: Dice) -> str:
        return self.between(start, self.day, dice)

    def treatment(self, dice: Dice, *, may_be_old: bool) -> str:
        """Draw INSEE's last treatment of a unit: never a Sunday in the last two years.

        INSEE treated one in eight on the mass day of NAF 2025. One old unit in five, and a few
        others, were treated so long ago that milliseconds or the time itself are missing; some of
        them were treated before their creation.
        """
        clock = dice.below(86_400_000)
        if dice.chance(200 if may_be_old else 4):
            old = (date(2006, 11, 25) + timedelta(days=dice.below(365 * 13))).isoformat()
            return old if dice.chance(100) else f"{old}T{_time(clock)}"
        day = MASS_DAY if dice.chance(130) and self.day >= MASS_DAY else self._recent(dice)
        if day == self.day:
            clock = 1 + clock % 352_648  # the last file closes a few minutes after midnight
        return f"{day}T{_time(clock)}.{clock % 1000:03d}"

    def _recent(self, dice: Dice) -> str:
        """Draw a day of two years; the last month is four times as dense as the rest."""
        if dice.chance(150):
            return self._worked[dice.below(26)]
        return dice.pick(self._worked)


def day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def _time(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
