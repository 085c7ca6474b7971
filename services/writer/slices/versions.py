"""The order of two versions of a record. Pure."""

import datetime as dt
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from shared.sirene.records import PARTIAL


class Dated(Protocol):
    @property
    def statut_diffusion(self) -> str: ...
    @property
    def date_dernier_traitement(self) -> dt.datetime | None: ...


RecordT = TypeVar("RecordT", bound=Dated)


@dataclass(frozen=True, order=True, slots=True)
class Version:
    """The higher version counts: by INSEE's treatment date, then P over O, then `fetched_at`.

    A missing date is older than every date. `fetched_at` is the time when the quota slot was
    granted. `statements.py` has the same order in SQL.
    """

    treated_at: dt.datetime
    partial: bool
    fetched_at: dt.datetime

    @classmethod
    def of(cls, record: Dated, fetched_at: dt.datetime) -> "Version":
        return cls(
            record.date_dernier_traitement or dt.datetime.min,  # noqa: DTZ901  as INSEE's own
            record.statut_diffusion == PARTIAL,
            fetched_at,
        )


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
