"""A search in the query language of Elasticsearch. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.portal.search.conditions import Circle
from services.portal.search.source import TIERS_FROM
from services.portal.search.terms import AllOf, AnyOf, Lexeme, NoneOf, Terms
from shared.search.entries import is_word

Clause = Mapping[str, Any]

# The weights of PostgreSQL's ranking: a name, a place, a filter.
_NAME, _PLACE, _FILTER = 1.0, 0.3, 0.05
_FIELDS = {"A": ("names",), "C": ("place",), "": ("names", "place")}
_BOOSTS = {"names": _NAME, "place": _PLACE}
_LARGEST_FIRST = ({"rank": "desc"}, {"id": "desc"})
_BEST_FIRST = ({"_score": "desc"}, {"words": "asc"})


def search_body(terms: Terms, circle: Circle | None, limit: int, *, estimated: float) -> Clause:
    """Return the body of a search for ids.

    Words weigh by where they stand; of many rows those of the highest rank come first.
    """
    order = _LARGEST_FIRST if estimated > TIERS_FROM else (*_BEST_FIRST, *_LARGEST_FIRST)
    return {
        "query": {"bool": {"must": [clause_of(terms)], "filter": list(_around(circle))}},
        "size": limit,
        "sort": order,
        "_source": False,
        "track_total_hits": False,
    }


def clause_of(terms: Terms) -> Clause:
    match terms:
        case Lexeme():
            return _clause_of_lexeme(terms)
        case NoneOf():
            return {"bool": {"must_not": [clause_of(terms.lexeme)]}}
        case AllOf():
            return {"bool": {"must": [clause_of(part) for part in terms.parts]}}
        case AnyOf():
            return _best_of([clause_of(part) for part in terms.parts])


def _clause_of_lexeme(lexeme: Lexeme) -> Clause:
    kind = "prefix" if lexeme.is_prefix else "term"
    if not is_word(lexeme.text):
        return _constant(kind, "filters", lexeme.text, _FILTER)
    return _best_of(
        [_constant(kind, name, lexeme.text, _BOOSTS[name]) for name in _FIELDS[lexeme.weight]]
    )


def _best_of(clauses: Sequence[Clause]) -> Clause:
    return clauses[0] if len(clauses) == 1 else {"dis_max": {"queries": list(clauses)}}


def _constant(kind: str, name: str, text: str, boost: float) -> Clause:
    return {"constant_score": {"filter": {kind: {name: {"value": text}}}, "boost": boost}}


def _around(circle: Circle | None) -> Sequence[Clause]:
    """Return the square around a circle: its rows are confirmed afterwards."""
    if circle is None:
        return ()
    if circle.x is None or circle.y is None:
        return ({"match_none": {}},)
    return [
        {"range": {axis: {"gte": at - circle.radius, "lte": at + circle.radius}}}
        for axis, at in (("x", circle.x), ("y", circle.y))
    ]
