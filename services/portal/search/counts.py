"""The total of a search and its facets: counted up to a number, and said so beyond it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.portal.search.conditions import RowCondition
from services.portal.search.engine import MOST_COUNTED, Facet
from services.portal.search.lexicon import Ask

_COLUMNS: Mapping[Facet, str] = {
    "activite_principale": "activite_principale",
    "departement": "departement",
    "tranche_effectifs": "coalesce(tranche_effectifs, 'NN')",
    "etat": "CASE WHEN open THEN 'A' ELSE 'F' END",
}


class Counts(NamedTuple):
    """The number of hits, whether it is exact, and the facets."""

    total: int
    is_exact: bool
    facets: Mapping[Facet, Sequence[tuple[str, int]]]


def count(ask: Ask, source: str, where: RowCondition, facets: Sequence[Facet]) -> Counts:
    """Count the rows of the source that meet the condition."""
    wanted = [facet for facet in _COLUMNS if facet in facets]
    columns = ", ".join(f"{_COLUMNS[facet]} AS {facet}" for facet in wanted)
    parts = ["SELECT '', '', count(*) FROM hits"]
    parts += [f"SELECT '{each}', {each}, count(*) FROM hits GROUP BY {each}" for each in wanted]
    rows = ask(
        f"WITH hits AS MATERIALIZED (SELECT {columns} FROM {source}"
        f" WHERE {where.sql} LIMIT {MOST_COUNTED + 1}) {' UNION ALL '.join(parts)}",
        where.values,
    )
    numbers: dict[str, Counter[str]] = {facet: Counter() for facet in ("", *wanted)}
    for facet, value, number in rows:
        numbers[facet][value] += number
    total = numbers[""][""]
    return Counts(
        min(total, MOST_COUNTED),
        total <= MOST_COUNTED,
        {facet: _largest_first(numbers[facet]) for facet in wanted},
    )


def _largest_first(numbers: Counter[str]) -> list[tuple[str, int]]:
    return sorted(numbers.items(), key=lambda each: (-each[1], each[0]))
