"""The rows that a search by words looks at, found in steps: as typed first, mended words later.

A step is taken only where those before found nothing, so that most searches pay for none of it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from services.portal.search import lexicon, lists
from services.portal.search.asked import Asked, AskedWord
from services.portal.search.called import OF_A_COMMUNE, Called
from services.portal.search.conditions import Circle, any_of, lexemes_of
from services.portal.search.engine import Filters
from services.portal.search.lexicon import SHORT_BEGINNINGS, Ask
from services.portal.search.ranks import Candidate
from services.portal.search.source import EntrySource, FoundRows, rows_of
from services.portal.search.terms import AllOf, AnyOf, Lexeme, Terms
from shared.search.communes import NamedCommune, find_commune
from shared.search.words import telling, whole_name

MOST = 200
_MOST_OF_A_NAME = 50
_UNKNOWN_NUMBER = 10**9
_RARE = 100
_MOST_TOGETHER = 3
_DOUBT = 4
_JOINED_WORDS = (2, 3)


@dataclass
class Candidates:
    """Finds candidates for one question in a source; `queries` are those that found them.

    `is_cut`: a query had more rows than were read. `left_out`: words that the first query with an
    answer did without.
    """

    ask: Ask
    source: EntrySource
    asked: Asked
    filters: Filters
    circle: Circle | None
    total: int
    enough: int
    queries: list[Terms] = field(default_factory=list)
    is_cut: bool = False
    commune: NamedCommune | None = None
    left_out: Sequence[str] = ()
    _found: dict[int, Candidate] = field(default_factory=dict)

    def find(self) -> list[Candidate]:
        joins, known = self._look_up()
        self._as_called()
        if not self._found and (bare := self.asked.bare()) is not None:
            kept = {word.text for word in bare.words}
            self.left_out = [word.text for word in self.asked.words if word.text not in kept]
            self.asked = bare
            joins, known = self._look_up()
            self._as_called()
        steps: tuple[Callable[[], None], ...] = (
            lambda: self._joined(joins, known),
            self._mended,
            self._without_a_word,
        )
        for step in steps:
            if self._found:
                break
            step()
        return list(self._found.values())

    def _look_up(self) -> tuple[dict[str, Sequence[AskedWord]], dict[str, int]]:
        """Count the words; return runs of them by what they are as one, and what is known."""
        words = self.asked.words
        runs = (
            words[first : first + size]
            for size in _JOINED_WORDS
            for first in range(len(words) - size + 1)
        )
        joins = {
            "".join(word.text for word in run): run
            for run in runs
            if len({word.in_names for word in run}) == 1
        }
        known = lexicon.known(self.ask, [*(word.text for word in words), *joins])
        for word in words:
            word.documents = known.get(word.text, 0)
        return joins, known

    def find_beginning(self) -> list[Candidate]:
        """Find the largest rows of which the last word is only begun."""
        *others, last = self.asked.words
        group: Terms = last.query()
        if last.is_prefix and len(last.text) in SHORT_BEGINNINGS:
            begun = lexicon.words_beginning(self.ask, last.text)
            group = AnyOf([Lexeme(word) for word in dict.fromkeys([last.text, *begun])])
        self._add([*(word.query() for word in others), group], [], limit=_MOST_OF_A_NAME)
        return list(self._found.values())

    def activites(self) -> dict[str, Sequence[str]]:
        """Return the activities that words call, of those that candidates have."""
        present = {each.activite_principale for each in self._found.values()}
        told = {
            word.text: [code for code in word.activites if code in present]
            for word in self.asked.words
        }
        return {word: codes for word, codes in told.items() if codes}

    def _as_called(self) -> None:
        """Look for names that have all words, then for activities that words call."""
        self._as_typed()
        called = Called.of(self.asked)
        if called is None:
            return
        before = len(self._found)
        listed = called.filters(self.filters) if self.circle is None else None
        if self.is_cut and before >= MOST:
            # Names come first: no activity would be seen, but all are counted.
            self.queries.append(self._query(called.groups()))
        elif listed is not None:
            self._add_listed(self._query(called.groups()), listed)
        else:
            self._add(called.groups(), called.numbers())
        if called.commune is not None and len(self._found) > before:
            self.commune = called.commune

    def _as_typed(self) -> None:
        """Look for all words; before, where they name a commune, for a whole name and in it."""
        words = self.asked.words
        if (commune := find_commune(self.asked.typed)) is not None:
            self._find_name([word.text for word in words], [])
            self._find_in(commune)
        if len(self._found) < self.enough and all(word.is_known for word in words):
            self._add([word.query() for word in words], _frequencies(words))

    def _find_in(self, commune: NamedCommune) -> None:
        typed = self.asked.typed
        outside = [*typed[: commune.first], *typed[commune.end :]]
        left = set(telling(outside)) if outside else set()
        rest = [word for word in self.asked.words if word.in_names or word.text in left]
        if self.asked.words and self.asked.words[-1].is_prefix and commune.end == len(typed):
            return
        place = any_of("c", commune.codes)
        before = len(self._found)
        if find_commune(outside) is not None:
            self._find_name([word.text for word in rest], [place])
        if all(word.is_known for word in rest):
            numbers = [*_frequencies(rest), OF_A_COMMUNE] if rest else []
            self._add([*(word.query() for word in rest), place], numbers)
        if len(self._found) > before:
            self.commune = commune

    def _find_name(self, words: Sequence[str], also: Sequence[Terms]) -> None:
        """Look for names of these very words: PARIS SHOP is a name."""
        if words and not self.asked.words[-1].is_prefix:
            self._add([Lexeme(whole_name(words)), *also], [], limit=_MOST_OF_A_NAME)

    def _joined(self, joins: dict[str, Sequence[AskedWord]], known: dict[str, int]) -> None:
        """Take two or three words for one that was written so."""
        for joined, run in joins.items():
            rest = [word for word in self.asked.words if word not in run]
            if joined not in known or not all(word.is_known for word in rest):
                continue
            for word in run:
                word.near[joined] = (1.0, known[joined])
            both = AskedWord(joined, in_names=run[0].in_names)
            self._add([*(word.query() for word in rest), both.query()], [known[joined]])

    def _mended(self) -> None:
        """Mend words that no entry has, then rare ones, then all."""
        for words in self._doubtful():
            if words:
                lexicon.find_near(self.ask, words)
                kept = [word for word in self.asked.words if word.wide_query()]
                if kept:
                    self._add_wide(kept)
            if self._found:
                return

    def _doubtful(self) -> Iterator[list[AskedWord]]:
        words = [word for word in self.asked.words if word.may_be_mended]
        known = [word for word in words if word.documents or word.activites]
        yield [word for word in words if word not in known]
        yield [word for word in known if word.documents < _RARE]
        yield [word for word in words if word.documents >= _RARE]

    def _without_a_word(self) -> None:
        """Leave out the most frequent word, or another one but the rarest; or two of many."""
        kept = [word for word in self.asked.words if word.wide_query()]
        order = sorted(kept, key=lambda word: word.wide_frequency, reverse=True)
        # One that no entry has was mended by a guess: it tells less than the rarest that one has.
        rarest = next((word for word in reversed(order) if word.is_known), None)
        left_out = [[word] for word in order if word is not rarest]
        if len(order) > _MOST_TOGETHER:
            left_out.append(order[:2])
        for dropped in left_out:
            # A word that is there twice goes twice: nothing may be left.
            if rest := [word for word in kept if word not in dropped]:
                self._add_wide(rest)
            if self._found:
                return

    def _add_wide(self, words: Sequence[AskedWord]) -> None:
        self._add([word.wide_query() for word in words], [word.wide_frequency for word in words])
        if self._found and not self.left_out:
            self.left_out = [word.text for word in self.asked.words if word not in words]

    def _add(self, groups: Sequence[Terms], numbers: Sequence[int], *, limit: int = MOST) -> None:
        query, estimated = self._query(groups), self._estimated(numbers)
        self._take(query, self.source.rows(query, self.circle, limit, estimated=estimated))

    def _query(self, groups: Sequence[Terms]) -> Terms:
        return AllOf([*groups, *lexemes_of(self.filters)])

    def _add_listed(self, query: Terms, filters: Filters) -> None:
        """Add the first of a list, whose rows the query has, too."""
        listed = lists.by_rank(self.ask, filters, None, MOST)
        rows = rows_of(self.ask, listed)
        self._take(query, FoundRows(rows, is_cut=len(rows) >= MOST))

    def _take(self, query: Terms, found: FoundRows) -> None:
        self.queries.append(query)
        self.is_cut |= found.is_cut
        for candidate in found.rows:
            self._found.setdefault(candidate.id, candidate)

    def _estimated(self, numbers: Sequence[int]) -> float:
        """Guess the rows as if words came independently, but never more than the rarest has."""
        if not numbers:
            return _UNKNOWN_NUMBER
        share = 1.0
        for number in sorted(numbers)[:_MOST_TOGETHER]:
            share *= min(number / max(self.total, 1), 1.0)
        return min(self.total * share * _DOUBT, *numbers)


def _frequencies(words: Sequence[AskedWord]) -> list[int]:
    return [word.frequency for word in words]
