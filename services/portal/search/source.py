"""The entries that have the terms of a search: where they are looked for, and how rows are read."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from services.portal.search.conditions import Circle, Values
from services.portal.search.lexicon import Ask
from services.portal.search.lists import Listed
from services.portal.search.ranks import CANDIDATE_COLUMNS, Candidate
from services.portal.search.terms import AllOf, Lexeme, Terms, tsquery
from shared.search.entries import TIER_LEXEMES

TIERS_FROM = 1500
"""More rows than these are not weighed by their words: those of the highest tiers come first."""


class FoundRows(NamedTuple):
    """The rows that have the terms; `is_cut`: there may be more of them."""

    rows: Sequence[Candidate]
    is_cut: bool


class EntrySource(Protocol):
    """Finds entries by terms. Raises SlowDown where its server is away or takes too long."""

    def rows(
        self, terms: Terms, circle: Circle | None, limit: int, *, estimated: float
    ) -> FoundRows:
        """Return the best entries, `limit` at most; `estimated` is a guess at all of them."""


class GinSource:
    """Finds entries by the GIN of their lexemes, in PostgreSQL."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def rows(
        self, terms: Terms, circle: Circle | None, limit: int, *, estimated: float
    ) -> FoundRows:
        find = self._best if estimated <= TIERS_FROM else self._of_tiers
        rows = find(terms, circle, limit)
        return FoundRows([Candidate._make(row) for row in rows], is_cut=len(rows) >= limit)

    def _best(
        self, terms: Terms, circle: Circle | None, limit: int
    ) -> Sequence[tuple[object, ...]]:
        columns, condition, values = _parts(circle)
        query = tsquery(terms)
        return self._ask(
            f"SELECT {columns} FROM search_entries"
            f" WHERE terms @@ CAST(%s AS tsquery) AND {condition}"
            " ORDER BY ts_rank('{0.05,0.3,0.3,1}', terms, CAST(%s AS tsquery), 1) DESC, rank DESC,"
            " pro_localisation_id DESC LIMIT %s",
            (*_distance_values(circle), query, *values, query, limit),
        )

    def _of_tiers(
        self, terms: Terms, circle: Circle | None, limit: int
    ) -> Sequence[tuple[object, ...]]:
        columns, condition, values = _parts(circle)
        part = (
            f"(SELECT {columns} FROM search_entries"
            f" WHERE terms @@ CAST(%s AS tsquery) AND {condition} LIMIT %s)"
        )
        of_tiers = [tsquery(AllOf([terms, Lexeme(tier)])) for tier in TIER_LEXEMES]
        parameters = [
            each for tier in of_tiers for each in (*_distance_values(circle), tier, *values, limit)
        ]
        parts = " UNION ALL ".join([part] * len(of_tiers))
        return self._ask(f"{parts} LIMIT %s", (*parameters, limit))


def rows_of(ask: Ask, listed: Sequence[Listed]) -> Sequence[Candidate]:
    """Return the rows of a list, in any order."""
    rows = ask(
        f"SELECT {CANDIDATE_COLUMNS}, NULL FROM search_entries"
        " WHERE pro_localisation_id = ANY(%s) AND siret = ANY(%s)",
        ([row.id for row in listed], [row.siret for row in listed]),
    )
    return [Candidate._make(row) for row in rows]


def confirmed_rows(
    ask: Ask, ids: Sequence[int], terms: Terms, circle: Circle | None
) -> Sequence[Candidate]:
    """Return those of the entries that have the terms now, whoever says that they had them."""
    columns, condition, values = _parts(circle)
    rows = ask(
        # The ids come first: an index on terms would find many more.
        f"SELECT {columns} FROM (SELECT * FROM search_entries"
        " WHERE pro_localisation_id = ANY(%s) OFFSET 0) named"
        f" WHERE terms @@ CAST(%s AS tsquery) AND {condition}",
        (*_distance_values(circle), list(ids), tsquery(terms), *values),
    )
    return [Candidate._make(row) for row in rows]


def _parts(circle: Circle | None) -> tuple[str, str, Values]:
    if circle is None:
        return f"{CANDIDATE_COLUMNS}, NULL", "true", ()
    condition = circle.condition()
    distance = "point(x, y) <-> point(%s, %s)" if circle.x is not None else "NULL"
    return f"{CANDIDATE_COLUMNS}, {distance}", condition.sql, condition.values


def _distance_values(circle: Circle | None) -> Values:
    return () if circle is None or circle.x is None else (circle.x, circle.y)
