"""The windows that a scope is cut into, one walk each. Pure: a plan gets its counts by a call."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.clock import utc_now
from shared.days import day_in_france
from shared.imports.scope import SIRETS_PER_WINDOW, Scope
from shared.sirene.reference import NAF_2025_DAY, is_naf_2025

# The URL of a request has room for this many places.
_PLACES_PER_WINDOW = 60
# Up to this size a window is one walk: each piece more costs counts, and a page that is not full.
MOST_ROWS_UNCUT = 200_000
# The writer closes a walk with sets of all its sirets: 1 s for 200 000 rows, 9 s for a million.
MOST_ROWS_PER_WALK = 500_000
FIRST_SIREN, LAST_SIREN = "000000000", "999999999"
_FIRST_NIC, _LAST_NIC = "00000", "99999"
_FIRST_SIRET, _LAST_SIRET = FIRST_SIREN + _FIRST_NIC, LAST_SIREN + _LAST_NIC

# The date of a unit is on the record of each of its establishments. Its head office alone would
# not do: the register lists units without one.
_TREATED = {
    "etablissements": "dateDernierTraitementEtablissement:[{} TO {}]",
    "unites_legales": "dateDernierTraitementUniteLegale:[{} TO {}]",
}

Count = Callable[[str], int]


@dataclass(frozen=True)
class Window:
    """The part of the register that one batch walks, by columns of `etablissements`."""

    departement: str | None = None
    code_commune: str | None = None
    # Or all of these, as INSEE's language names them: a window of a delta.
    places: tuple[str, ...] = ()
    activite_principale: str | None = None
    etat_administratif: str | None = None
    siret_from: str | None = None
    siret_to: str | None = None
    sirets: tuple[str, ...] = ()
    # All three or none: the rows of this collection that INSEE treated between these dates.
    collection: str | None = None
    treated_from: datetime | None = None
    treated_until: datetime | None = None
    # Establishments that INSEE treated between these dates come in another window of the run.
    others_treated: tuple[datetime, datetime] | None = None

    @property
    def query(self) -> str:
        """Write the window in INSEE's language, without maskable fields: masked units lack them."""
        if self.sirets:
            return " OR ".join(f"siret:{siret}" for siret in self.sirets)
        terms = [self._treated(), self._place(), self._current(), self._range()]
        return " AND ".join(term for term in terms if term)

    @property
    def is_one_unit(self) -> bool:
        low, high = self.siret_from, self.siret_to
        return low is not None and high == low[:9] + _LAST_NIC and low.endswith(_FIRST_NIC)

    def _treated(self) -> str | None:
        if self.collection is None or self.treated_from is None or self.treated_until is None:
            return None
        treated = _between(self.collection, self.treated_from, self.treated_until)
        if self.others_treated is None:
            return treated
        return f"{treated} AND -{_between('etablissements', *self.others_treated)}"

    def _place(self) -> str | None:
        if self.places:
            terms = [f"codeCommuneEtablissement:{place}" for place in self.places]
            return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})"
        if self.code_commune:
            return f"codeCommuneEtablissement:{self.code_commune}"
        return f"codeCommuneEtablissement:{self.departement}*" if self.departement else None

    def _current(self) -> str | None:
        """Return one `periode(...)` for both terms: two could match two different periods.

        A delta asks for those that ever were so: a closed one is to be known as closed. Until NAF
        2025 is the reference, its codes stand in a key of their own; INSEE may drop it then, and
        would refuse a query that names it.
        """
        state = (
            self.etat_administratif and f"etatAdministratifEtablissement:{self.etat_administratif}"
        )
        code = self.activite_principale
        if code is None:
            return self._periode(state)
        current = self._periode(f"activitePrincipaleEtablissement:{code}", state)
        if not (is_naf_2025(code) and day_in_france(utc_now()) < NAF_2025_DAY):
            return current
        announced = [f"activitePrincipaleNAF25Etablissement:{code}", self._periode(state)]
        return f"({' AND '.join(term for term in announced if term)} OR {current})"

    def _periode(self, *named: str | None) -> str | None:
        terms = [term for term in named if term]
        if terms and self.collection is None:
            terms.append("-dateFin:*")
        return f"periode({' AND '.join(terms)})" if terms else None

    def _range(self) -> str | None:
        low, high = self.siret_from, self.siret_to
        if low is None and high is None:
            return None
        if low and high and low.endswith(_FIRST_NIC) and high.endswith(_LAST_NIC):
            first, last = low[:9], high[:9]
            return f"siren:{first}" if first == last else f"siren:[{first} TO {last}]"
        return f"siret:[{low or '*'} TO {high or '*'}]"


def _between(collection: str, *ends: datetime) -> str:
    return _TREATED[collection].format(*(end.isoformat(timespec="milliseconds") for end in ends))


_EVERYTHING = Window(siret_from=_FIRST_SIRET, siret_to=_LAST_SIRET)


def windows_of(scope: Scope) -> list[Window]:
    """Cut a scope into as few windows as possible: few long walks waste the fewest requests."""
    if scope.sirets:
        ordered = sorted(set(scope.sirets))
        return [
            Window(sirets=tuple(ordered[start : start + SIRETS_PER_WINDOW]))
            for start in range(0, len(ordered), SIRETS_PER_WINDOW)
        ]
    places = [Window(departement=each) for each in dict.fromkeys(scope.departements)]
    places += [Window(code_commune=each) for each in dict.fromkeys(scope.communes)]
    narrowed = [
        replace(
            place,
            activite_principale=activite,
            etat_administratif=scope.etat_administratif,
            siret_from=scope.siret_from,
            siret_to=scope.siret_to,
        )
        for place in places or [Window()]
        for activite in dict.fromkeys(scope.activites) or [None]
    ]
    return [_EVERYTHING if window == Window() else window for window in narrowed]


def joined_windows(scopes: Sequence[Scope]) -> list[Window]:
    """Join scopes into as few windows as their narrowing allows, for one treatment date.

    A commune in a département that is asked for is in it already.
    """
    places: dict[Window, list[str]] = {}
    for window in itertools.chain.from_iterable(map(windows_of, scopes)):
        if window == _EVERYTHING:
            return [Window()]
        place = f"{window.departement}*" if window.departement else window.code_commune
        narrowing = replace(window, departement=None, code_commune=None)
        places.setdefault(narrowing, []).append(place or "*")
    return [
        replace(narrowing, places=tuple(some))
        for narrowing, named in places.items()
        for some in _joined(named)
    ]


def _joined(places: Sequence[str]) -> Iterator[tuple[str, ...]]:
    if "*" in places:
        yield ()
        return
    starts = tuple(each[:-1] for each in places if each.endswith("*"))
    kept = [each for each in dict.fromkeys(places) if "*" in each or not each.startswith(starts)]
    for first in range(0, len(kept), _PLACES_PER_WINDOW):
        yield tuple(kept[first : first + _PLACES_PER_WINDOW])


def is_whole_register(scope: Scope, row_limit: int | None) -> bool:
    return row_limit is None and windows_of(scope) == [_EVERYTHING]


@dataclass(frozen=True)
class PlannedBatch:
    """One walk; `expected` is its count, or None where no count was needed."""

    window: Window
    row_limit: int | None = None
    expected: int | None = None


def make_plan(
    scope: Scope, *, row_limit: int | None, walkers: int, count: Count
) -> list[PlannedBatch]:
    """Size a scope's windows by `count`, one request each, and cut the large ones.

    A limited run is not cut, and one with a single window needs no count. Sirets asked for by
    number are not counted either, nor is one unit: their number bounds the answer.
    """
    windows = windows_of(scope)
    if row_limit is None:
        sized = (_size(each, len(windows), walkers, count) for each in windows)
        return list(itertools.chain.from_iterable(sized))
    if len(windows) == 1:
        return [PlannedBatch(windows[0], row_limit)]
    # The generator counts lazily: windows beyond the limit cost no request.
    shares = allot((count(window.query) for window in windows), row_limit)
    return [
        PlannedBatch(window, share, share)
        for window, share in zip(windows, shares, strict=False)
        if share
    ]


def allot(totals: Iterator[int], row_limit: int) -> list[int]:
    """Give the limit of a run out to its windows, in their order, until it is used up.

    No further total is read then, and windows that follow have no share.
    """
    shares: list[int] = []
    while row_limit > 0 and (total := next(totals, None)) is not None:
        shares.append(min(total, row_limit))
        row_limit -= shares[-1]
    return shares


def _size(window: Window, windows: int, walkers: int, count: Count) -> list[PlannedBatch]:
    if window.sirets or window.is_one_unit:
        return [PlannedBatch(window)]
    rows = count(window.query)
    pieces = max(math.ceil(walkers / windows), math.ceil(rows / MOST_ROWS_PER_WALK))
    most_rows = rows if rows <= MOST_ROWS_UNCUT else math.ceil(rows / pieces)
    return cut_window(window, rows, most_rows=most_rows, count=count)


def cut_window(window: Window, rows: int, *, most_rows: int, count: Count) -> list[PlannedBatch]:
    """Cut a window at sirens into walks of at most `most_rows`, which together are the window.

    Each halving costs a count. Sirens are not evenly spread, so small neighbours are joined.
    """
    if rows <= most_rows:
        return [PlannedBatch(window, expected=rows)]
    low, high = window.siret_from or _FIRST_SIRET, window.siret_to or _LAST_SIRET
    bound = replace(window, siret_from=low, siret_to=high)
    joined: list[PlannedBatch] = []
    for piece, size in _halve(bound, rows, most_rows, count):
        last = joined[-1] if joined else None
        if last is not None and (last.expected or 0) + size <= most_rows:
            whole = replace(last.window, siret_to=piece.siret_to)
            joined[-1] = PlannedBatch(whole, expected=(last.expected or 0) + size)
        else:
            joined.append(PlannedBatch(piece, expected=size))
    return joined


def _halve(window: Window, rows: int, most_rows: int, count: Count) -> Iterator[tuple[Window, int]]:
    first, last = (int((end or "")[:9]) for end in (window.siret_from, window.siret_to))
    if rows <= most_rows or first == last:
        yield window, rows
        return
    middle = (first + last) // 2
    low = replace(window, siret_to=f"{middle:09d}{_LAST_NIC}")
    high = replace(window, siret_from=f"{middle + 1:09d}{_FIRST_NIC}")
    # The register can change between two counts.
    below = min(count(low.query), rows)
    yield from _halve(low, below, most_rows, count)
    yield from _halve(high, rows - below, most_rows, count)
