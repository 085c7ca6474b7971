"""Lists of pages by filters alone, in an order that an index has: no sort, no offset.

A list of values is walked value by value, each in its own range of an index.
"""

import datetime as dt
from collections.abc import Sequence
from itertools import product
from operator import attrgetter
from typing import NamedTuple

from services.portal.search.conditions import (
    Circle,
    RowCondition,
    Values,
    codes_of,
    conditions_of,
    divisions_of,
    joined,
)
from services.portal.search.engine import Filters
from services.portal.search.lexicon import Ask
from services.portal.search.marks import CursorMark
from shared.sirene.reference import departements

ENTRIES = "search_entries"
# The pages by number, also those that are in no index: they are masked.
NUMBERED = """(
    SELECT p.id AS pro_localisation_id, p.siret, p.siren, p.code_commune, p.activite_principale,
      p.status = 'open' AS open, s.siege, s.code_postal, s.departement, s.region,
      s.tranche_effectifs, s.categorie_juridique, coalesce(s.rank, -1) AS rank
    FROM pro_localisations p LEFT JOIN search_entries s ON s.pro_localisation_id = p.id) numbered
"""
# More ranges than these are dearer than one walk over all ranks.
_MOST_RANGES = 250
_NO_DEPARTEMENT = ""
_LARGEST_FIRST = "ORDER BY rank DESC, pro_localisation_id DESC LIMIT %s"
_DISTANCE = "point(x, y) <-> point(%s, %s)"


class Listed(NamedTuple):
    """A row of a list, with its values in the orders; some are of one order only."""

    id: int
    siret: str
    rank: int = 0
    created: dt.date = dt.date.min
    distance: float = 0.0


def by_rank(
    ask: Ask, filters: Filters, after: CursorMark | None, limit: int, *, number: str | None = None
) -> list[Listed]:
    """Return the next pages, the largest first; with a number those of its unit or its own."""
    conditions = [*conditions_of(filters), *numbered(number)]
    if after is not None:
        condition = "(rank, pro_localisation_id) < (%s, %s)"
        conditions.append(RowCondition(condition, (after.whole, after.id)))
    where = joined(conditions)
    statement, values = _by_ranges(filters, where, limit)
    if number is not None or not values:
        source = ENTRIES if number is None else NUMBERED
        statement = (
            f"SELECT pro_localisation_id, siret, rank FROM {source} WHERE {where.sql}"
            f" {_LARGEST_FIRST}"
        )
        values = (*where.values, limit)
    found = [Listed(*row) for row in ask(statement, values)]
    return sorted(found, key=attrgetter("rank", "id"), reverse=True)[:limit]


def by_creation(
    ask: Ask, filters: Filters, circle: Circle | None, after: CursorMark | None, limit: int
) -> list[Listed]:
    """Return the next pages, the youngest first."""
    conditions = [*conditions_of(filters), *([circle.condition()] if circle else [])]
    if after is not None:
        condition = "(date_creation, pro_localisation_id) < (%s, %s)"
        conditions.append(RowCondition(condition, (after.day, after.id)))
    where = joined(conditions)
    rows = ask(
        f"SELECT pro_localisation_id, siret, date_creation FROM {ENTRIES} WHERE {where.sql}"
        " ORDER BY date_creation DESC, pro_localisation_id DESC LIMIT %s",
        (*where.values, limit),
    )
    found = [Listed(id_, siret, created=created) for id_, siret, created in rows]
    return sorted(found, key=attrgetter("created", "id"), reverse=True)[:limit]


def by_distance(
    ask: Ask, filters: Filters, circle: Circle, after: CursorMark | None, limit: int
) -> list[Listed]:
    """Return the next pages of the circle, the nearest first."""
    if circle.x is None:
        return []
    conditions = [circle.condition(), *conditions_of(filters)]
    if after is not None:
        condition = f"({_DISTANCE}, pro_localisation_id) > (%s, %s)"
        place = (circle.x, circle.y, after.number, after.id)
        conditions.append(RowCondition(condition, place))
    where = joined(conditions)
    rows = ask(
        f"SELECT pro_localisation_id, siret, {_DISTANCE} FROM {ENTRIES} WHERE {where.sql}"
        f" ORDER BY {_DISTANCE}, pro_localisation_id LIMIT %s",
        (circle.x, circle.y, *where.values, circle.x, circle.y, limit),
    )
    found = [Listed(id_, siret, distance=metres) for id_, siret, metres in rows]
    return sorted(found, key=attrgetter("distance", "id"))[:limit]


def numbered(number: str | None) -> list[RowCondition]:
    """Return the condition that a page is the number's, a siret's or a siren's."""
    if number is None:
        return []
    column = "siret" if len(number) == 14 else "siren"  # noqa: PLR2004  # digits of a siret
    return [RowCondition(f"{column} = %s", (number,))]


def _by_ranges(filters: Filters, where: RowCondition, limit: int) -> tuple[str, Values]:
    """Return a statement that walks each range of the filters; no values where there is none."""
    columns, ranges = _ranges(filters)
    if not ranges:
        return "", ()
    arrays = ", ".join(["CAST(%s AS text[])"] * len(columns))
    bound = " AND ".join(f"e.{column} = bounds.{column}" for column in columns)
    statement = (
        f"SELECT found.* FROM unnest({arrays}) AS bounds ({', '.join(columns)})"
        " CROSS JOIN LATERAL ("
        f"SELECT pro_localisation_id, siret, rank FROM {ENTRIES} e WHERE {bound} AND {where.sql}"
        f" {_LARGEST_FIRST}) found {_LARGEST_FIRST}"
    )
    lists = [list(column) for column in zip(*ranges, strict=True)]
    return statement, (*lists, *where.values, limit, limit)


def _ranges(filters: Filters) -> tuple[tuple[str, ...], Sequence[tuple[str, ...]]]:
    """Return the columns that begin an index, and their values, if these are not too many."""
    communes = codes_of(filters)
    codes, divisions = divisions_of(filters)
    activites = [] if divisions else codes
    places = filters.departement or [
        departement for departement in departements() if _is_in(departement, filters.region)
    ]
    choices: list[tuple[tuple[str, ...], Sequence[tuple[str, ...]]]] = [
        (("code_commune", "activite_principale"), list(product(communes, activites))),
        (("code_commune",), [(code,) for code in communes]),
        (("code_postal",), [(code,) for code in filters.code_postal]),
    ]
    if filters.departement or filters.region:
        choices += [
            (("activite_principale", "departement"), list(product(activites, places))),
            (("departement",), [(place,) for place in places]),
        ]
    else:
        everywhere = (*places, _NO_DEPARTEMENT)
        pairs = list(product(activites, everywhere))
        choices.append((("activite_principale", "departement"), pairs))
    for columns, values in choices:
        if 0 < len(values) <= _MOST_RANGES:
            return columns, values
    return (), ()


def _is_in(departement: str, regions: Sequence[str]) -> bool:
    return not regions or departements()[departement].region in regions
