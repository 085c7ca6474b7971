"""The matchers of a grammar's parts: each tells where a part ends that begins at a place.

A place of a parse is a number: the token's in the low bits, and above them one bit for each fact
that the tokens before it tell. So a rule may end at one token in several readings.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Symbols = Sequence[frozenset[str]]
"""The symbols of each token: its word, and what it is among the facts."""

PLACE_BITS = 8
PLACE = (1 << PLACE_BITS) - 1
MOST_TOKENS = 200
"""Several times the longest sentence of a notice; a longer one is not understood."""

NOWHERE: frozenset[int] = frozenset()


@dataclass(slots=True)
class Parse:
    """One sentence while it is parsed: `ends` has where each rule may end, by rule and start.

    `lacks` has the needs that no symbol from a place on meets, nor a condition (`needs.py`).
    """

    symbols: Symbols
    flags: frozenset[str]
    lacks: Sequence[int]
    ends: dict[tuple[str, int], frozenset[int]] = field(default_factory=dict)


Matcher = Callable[[Parse, int], frozenset[int]]


_AFTER = tuple(frozenset((place,)) for place in range(MOST_TOKENS + 1))


def words_matcher(words: frozenset[str]) -> Matcher:
    if len(words) == 1:
        return _word_matcher(*words)

    def match(parse: Parse, start: int) -> frozenset[int]:
        if start < len(parse.symbols) and not words.isdisjoint(parse.symbols[start]):
            return _AFTER[start + 1]
        return NOWHERE

    return match


def _word_matcher(word: str) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        if start < len(parse.symbols) and word in parse.symbols[start]:
            return _AFTER[start + 1]
        return NOWHERE

    return match


def telling_matcher(words: frozenset[str], bits: Mapping[str, int]) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        if start >= len(parse.symbols):
            return NOWHERE
        found = words & parse.symbols[start]
        return frozenset([start + 1 | bits.get(word, 0) for word in found])

    return match


def flag_matcher(flag: str, bit: int) -> Matcher:
    wanted, negated = flag.lstrip("!"), flag.startswith("!")

    def match(parse: Parse, start: int) -> frozenset[int]:
        return frozenset((start | bit,)) if (wanted in parse.flags) is not negated else NOWHERE

    return match


def guarded_matcher(matcher: Matcher, symbols: frozenset[str], needs: int) -> Matcher:
    """Return the matcher of a part that begins with one of the symbols, and has these needs."""

    def match(parse: Parse, start: int) -> frozenset[int]:
        if start >= len(parse.symbols) or symbols.isdisjoint(parse.symbols[start]):
            return NOWHERE
        return NOWHERE if needs & parse.lacks[start] else matcher(parse, start)

    return match


def needing_matcher(matcher: Matcher, needs: int) -> Matcher:
    """Return the matcher of a part that may be empty where its conditions hold."""

    def match(parse: Parse, start: int) -> frozenset[int]:
        return NOWHERE if needs & parse.lacks[start] else matcher(parse, start)

    return match


def _after(matcher: Matcher, parse: Parse, places: Iterable[int]) -> frozenset[int]:
    """Return the places after one more part; what was told stays told."""
    found = NOWHERE
    for place in places:
        start = place & PLACE
        ends = matcher(parse, start)
        if ends and place != start:
            told = place ^ start
            ends = frozenset([end | told for end in ends])
        if ends:
            found = found | ends if found else ends
    return found


def row_matcher(first: Matcher, others: list[Matcher]) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        places = first(parse, start)
        for matcher in others:
            if not places:
                return NOWHERE
            places = _after(matcher, parse, places)
        return places

    return match


def empty_matcher(parse: Parse, start: int) -> frozenset[int]:  # noqa: ARG001 a matcher
    return frozenset((start,))


def few_matcher(matchers: list[Matcher]) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        found = NOWHERE
        for matcher in matchers:
            ends = matcher(parse, start)
            if ends:
                found = found | ends if found else ends
        return found

    return match


def optional_matcher(inner: Matcher) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        ends = inner(parse, start)
        return ends | {start} if ends else frozenset((start,))

    return match


def repeated_matcher(inner: Matcher) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        fresh = inner(parse, start)
        found = fresh | {start}
        while fresh:
            fresh = _after(inner, parse, fresh) - found
            found |= fresh
        return found

    return match
