"""The answer to one search: by number, by words, or by filters alone."""

from collections.abc import Sequence
from functools import cached_property

from services.portal.search import counts, lists, marks
from services.portal.search.asked import Asked, number_in
from services.portal.search.candidates import Candidates
from services.portal.search.conditions import (
    Circle,
    RowCondition,
    conditions_of,
    joined,
)
from services.portal.search.counts import Counts
from services.portal.search.engine import Found, Hit, Search, Understood
from services.portal.search.lexicon import Ask
from services.portal.search.lists import ENTRIES, NUMBERED, Listed
from services.portal.search.ranks import Ranked, ranked
from services.portal.search.source import EntrySource
from services.portal.search.terms import AnyOf, tsquery


class SearchAnswer:
    """Finds the answer with statements to the shards; `total` is the number of all entries.

    `source` finds the entries that have words.
    """

    def __init__(self, ask: Ask, source: EntrySource, search: Search, total: int) -> None:
        self._ask = ask
        self._source = source
        self._search = search
        self._total = total

    def found(self) -> Found:
        search = self._search
        number = None if search.nom else number_in(search.q)
        if number is not None:
            return self._of_number(number)
        asked = Asked.of(search.q, search.nom)
        if asked.words:
            return self._by_words(asked)
        # Signs alone name nobody.
        if search.q.strip() or search.nom.strip():
            return Found(facets=dict.fromkeys(search.facets, ()))
        return self._by_filters()

    def beginnings(self) -> Sequence[Hit]:
        """Return the pages whose names go on as the question begins."""
        asked = Asked.of(self._search.q, is_beginning=True)
        candidates = self._candidates(asked).find_beginning()
        best = ranked(asked.words, candidates, self._total)
        return [Hit(each.candidate.id, each.candidate.siret) for each in best[: self._search.limit]]

    @cached_property
    def _circle(self) -> Circle | None:
        return None if self._search.near is None else Circle.of(self._search.near)

    def _of_number(self, number: str) -> Found:
        search = self._search
        after = marks.read(marks.RANK, search.after)
        rows = lists.by_rank(self._ask, search.filters, after, search.limit + 1, number=number)
        where = joined([*conditions_of(search.filters), *lists.numbered(number)])
        return self._listed(rows, marks.RANK, self._count(NUMBERED, where))

    def _by_filters(self) -> Found:
        search, circle = self._search, self._circle
        ask, filters, limit = self._ask, search.filters, search.limit + 1
        conditions = [*conditions_of(filters), *([circle.condition()] if circle else [])]
        order = marks.RANK if circle is None else marks.DISTANCE
        if search.order == "creation":
            order = marks.CREATION
        after = marks.read(order, search.after)
        if order == marks.CREATION:
            rows = lists.by_creation(ask, filters, circle, after, limit)
        elif circle is not None:
            rows = lists.by_distance(ask, filters, circle, after, limit)
        else:
            rows = lists.by_rank(ask, filters, after, limit)
        return self._listed(rows, order, self._count(ENTRIES, joined(conditions)))

    def _listed(self, rows: Sequence[Listed], order: str, counted: Counts) -> Found:
        limit = self._search.limit
        shown = rows[:limit]
        following = None
        if len(rows) > limit:
            last = shown[-1]
            value = {
                marks.RANK: last.rank,
                marks.CREATION: last.created,
                marks.DISTANCE: last.distance,
            }[order]
            following = marks.written(order, value, last.id)
        is_far = order == marks.DISTANCE
        return Found(
            hits=[Hit(row.id, row.siret, round(row.distance) if is_far else None) for row in shown],
            total=counted.total,
            total_exact=counted.is_exact,
            facets=counted.facets,
            next=following,
        )

    def _by_words(self, asked: Asked) -> Found:
        order = marks.SCORE
        after = marks.read(order, self._search.after)
        candidates = self._candidates(asked)
        rows = candidates.find()
        # The question may have been read anew.
        best = ranked(candidates.asked.words, rows, self._total)
        understood = Understood(
            corrected=best[0].corrected if best else {},
            ignored=asked.ignored,
            left_out=candidates.left_out,
            communes=candidates.commune.told if candidates.commune else (),
            activites=candidates.activites(),
        )
        counted = self._count_candidates(candidates, best)
        best = self._ordered(best)
        first = _place_after(best, after)
        shown = best[first : first + self._search.limit]
        is_last = first + len(shown) >= len(best)
        return Found(
            hits=[_hit(each) for each in shown],
            total=counted.total,
            total_exact=counted.is_exact,
            facets=counted.facets,
            understood=understood,
            next=None
            if is_last or not shown
            else marks.written(order, shown[-1].score, shown[-1].candidate.id),
        )

    def _candidates(self, asked: Asked) -> Candidates:
        return Candidates(
            self._ask,
            self._source,
            asked,
            self._search.filters,
            self._circle,
            self._total,
            self._search.limit,
        )

    def _ordered(self, best: list[Ranked]) -> list[Ranked]:
        """Put the best candidates into the order that was asked for."""
        if self._search.order == "creation":
            return sorted(best, key=lambda each: each.candidate.date_creation, reverse=True)
        if self._search.order == "distance":
            return sorted(best, key=lambda each: each.candidate.distance or 0.0)
        return best

    def _count_candidates(self, candidates: Candidates, best: Sequence[Ranked]) -> Counts:
        """Count all rows that the queries find; where all of them were read, these."""
        if not candidates.is_cut:
            if not self._search.facets:
                return Counts(len(best), is_exact=True, facets={})
            ids = [each.candidate.id for each in best]
            return self._count(ENTRIES, RowCondition("pro_localisation_id = ANY(%s)", (ids,)))
        query = tsquery(AnyOf(candidates.queries))
        conditions = [RowCondition("terms @@ CAST(%s AS tsquery)", (query,))]
        if self._circle is not None:
            conditions.append(self._circle.condition())
        return self._count(ENTRIES, joined(conditions))

    def _count(self, source: str, where: RowCondition) -> Counts:
        return counts.count(self._ask, source, where, self._search.facets)


def _hit(each: Ranked) -> Hit:
    row = each.candidate
    return Hit(row.id, row.siret, None if row.distance is None else round(row.distance))


def _place_after(best: Sequence[Ranked], after: marks.CursorMark | None) -> int:
    """Return the place behind the hit of the mark, or behind its score where it is gone."""
    if after is None:
        return 0
    for place, each in enumerate(best):
        if each.candidate.id == after.id:
            return place + 1
    return sum(each.score >= after.number for each in best)
