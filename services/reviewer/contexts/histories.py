"""The former activities and signs of an establishment, from its periods. Pure."""

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

from shared.sirene.context import Former
from shared.sirene.dates import is_plausible
from shared.sirene.names import enseigne_of
from shared.sirene.reference import libelle_activite

MOST = 3
"""The newest values that are kept: more fill a text and tell little."""

# The year in which each nomenclature began; one that is not here is younger than all of these.
_BEGAN = {"NAP": 1973, "NAF1993": 1993, "NAFRev1": 2003, "NAFRev2": 2008}
_YOUNGEST_BEGAN = 2025


class Period(NamedTuple):
    """A period of the history, as far as a text tells it."""

    date_debut: dt.date | None
    activite_principale: str | None
    nomenclature_activite_principale: str | None
    enseigne1: str | None
    enseigne2: str | None
    enseigne3: str | None
    denomination_usuelle: str | None
    code_commune: str | None = None

    @property
    def activite(self) -> str | None:
        return libelle_activite(self.activite_principale, self.nomenclature_activite_principale)

    @property
    def nomenclature_began(self) -> int:
        return _BEGAN.get(self.nomenclature_activite_principale or "", _YOUNGEST_BEGAN)


def held_until(
    periods: Sequence[Period], today: dt.date, number: int | None
) -> Sequence[Period] | None:
    """Return the periods that have begun, the oldest first; None of a history with a gap.

    `number` is INSEE's own number of periods. A stock file brings the newest one alone; before an
    only one there was nothing.
    """
    if number is not None and number <= 1:
        return ()
    if len(periods) != number:
        return None
    return [each for each in periods if each.date_debut is None or each.date_debut <= today]


def former_activites(periods: Sequence[Period], present: str | None) -> tuple[Former, ...]:
    """Return the former labels, but for those that ended with their nomenclature.

    There INSEE coded the same activity anew, and nobody changed it.
    """
    changes = [
        (before.activite, after.activite, after.date_debut)
        for before, after in _pairs(periods)
        if before.nomenclature_activite_principale == after.nomenclature_activite_principale
        and after.activite is not None
    ]
    return _former(changes, [present])


def is_recoded(periods: Sequence[Period]) -> bool:
    """Return whether INSEE coded a period anew that had begun before its nomenclature.

    Nobody knows whether the activity before it was another one.
    """
    return any(
        before.nomenclature_activite_principale != after.nomenclature_activite_principale
        and after.date_debut is not None
        and after.date_debut.year < after.nomenclature_began
        for before, after in _pairs(periods)
    )


def former_enseignes(
    periods: Sequence[Period], present: Iterable[str | None]
) -> tuple[Former, ...]:
    """Return the former signs that are none of the present names."""
    signs = [
        (enseigne_of(before), enseigne_of(after), after.date_debut)
        for before, after in _pairs(periods)
    ]
    return _former(signs, present)


def _pairs(periods: Sequence[Period]) -> Iterable[tuple[Period, Period]]:
    return itertools.pairwise(periods)


def _former(
    changes: Iterable[tuple[str | None, str | None, dt.date | None]],
    present: Iterable[str | None],
) -> tuple[Former, ...]:
    """Return what ended, the newest first, each value once."""
    found: dict[str, Former] = {}
    for value, next_value, until in changes:
        if value is None or until is None or not is_plausible(until):
            continue
        if _plain(value) != _plain(next_value or ""):
            found[_plain(value)] = Former(value=value, until=until)
    for name in present:
        found.pop(_plain(name or ""), None)
    return tuple(sorted(found.values(), key=attrgetter("until", "value"), reverse=True)[:MOST])


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
