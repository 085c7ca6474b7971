"""The order of two versions of a record. Pure.

`services/writer/sql/versions.py` has the same order in SQL (docs/adr/0023-order-of-versions.md).
"""

import datetime as dt
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from shared.days import FRANCE
from shared.sirene.records import PARTIAL

FIRST_PLAUSIBLE = dt.datetime(1970, 1, 1)  # noqa: DTZ001  as INSEE's own
_PLAUSIBLE_DAYS_AHEAD = 2
_OCTOBER, _FIRST_LAST_SUNDAY, _SUNDAY, _REPEATED_HOUR = 10, 25, 7, 2


class Dated(Protocol):
    @property
    def statut_diffusion(self) -> str: ...
    @property
    def date_dernier_traitement(self) -> dt.datetime | None: ...


RecordT = TypeVar("RecordT", bound=Dated)


@dataclass(frozen=True, order=True, slots=True)
class Version:
    """The higher version is the row: by `effective`, then P over O, then `fetched_at`.

    `fetched_at` is the time when the quota slot was granted.
    """

    effective: dt.datetime
    partial: bool
    fetched_at: dt.datetime

    @classmethod
    def of(cls, record: Dated, fetched_at: dt.datetime) -> "Version":
        return cls(
            effective(record.date_dernier_traitement, fetched_at),
            record.statut_diffusion == PARTIAL,
            fetched_at,
        )

    def hides(self, shown: "Version") -> bool:
        """Return whether this P hides the O: one seen later always does, whatever its date."""
        return self.partial and (self > shown or self.fetched_at > shown.fetched_at)


def effective(treated: dt.datetime | None, fetched_at: dt.datetime) -> dt.datetime:
    """Return INSEE's treatment date where it is plausible, else the time of the GET in France.

    The times of the hour that comes twice, in the night of October, are equal to one another.
    """
    plausible = treated is not None and FIRST_PLAUSIBLE <= treated < plausible_until(fetched_at)
    at = treated if plausible and treated else fetched_at.astimezone(FRANCE).replace(tzinfo=None)
    if (at.month, at.isoweekday(), at.hour) == (_OCTOBER, _SUNDAY, _REPEATED_HOUR):
        return at.replace(minute=0, second=0, microsecond=0) if at.day >= _FIRST_LAST_SUNDAY else at
    return at


def plausible_until(fetched_at: dt.datetime) -> dt.datetime:
    """Return the end of the day after the GET, in French time: no treatment is later."""
    day = fetched_at.astimezone(FRANCE).replace(tzinfo=None)
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + dt.timedelta(days=_PLAUSIBLE_DAYS_AHEAD)


def newest_by_key(
    records: Iterable[RecordT], key: Callable[[RecordT], Hashable], fetched_at: dt.datetime
) -> list[RecordT]:
    """Keep one of the records of one GET for each key: the highest version, the last of equals."""
    newest: dict[Hashable, RecordT] = {}
    for record in records:
        its_key = key(record)
        kept = newest.setdefault(its_key, record)
        if (
            kept is not record
            and kept != record
            and Version.of(record, fetched_at) >= Version.of(kept, fetched_at)
        ):
            newest[its_key] = record
    return list(newest.values())
