"""The parser of a grammar: which facts a sentence may be read to tell.

A place of a parse is a number: the token's in the low bits, and above them one bit for each fact
that the tokens before it tell. So a rule may end at one token in several readings.
"""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.reviewer.french.data import read_lines
from services.reviewer.validation.sentences.notation import Node, rules, terminals
from services.reviewer.validation.sentences.told import OF_UNIT, TELLS

Symbols = Sequence[frozenset[str]]
"""The symbols of each token: its word, and what it is among the facts."""

_PLACE_BITS = 8
_PLACE = (1 << _PLACE_BITS) - 1
MOST_TOKENS = 200
"""Several times the longest sentence of a notice; a longer one is not understood."""

_NOWHERE: frozenset[int] = frozenset()


@dataclass(slots=True)
class Parse:
    """One sentence while it is parsed: `ends` has where each rule may end, by rule and start."""

    symbols: Symbols
    flags: frozenset[str]
    ends: dict[tuple[str, int], frozenset[int]] = field(default_factory=dict)


Matcher = Callable[[Parse, int], frozenset[int]]


class Grammar:
    """The rules by name. The empty match is allowed for optional parts and conditions only.

    `tells` has the fact that a symbol, or a condition that holds, tells.
    """

    def __init__(
        self,
        lines: Sequence[str],
        tells: Mapping[str, str] | None = None,
        of_unit: Mapping[str, str] | None = None,
    ) -> None:
        self._facts = tuple(dict.fromkeys((tells or {}).values()))
        self._bits = {
            symbol: 1 << (_PLACE_BITS + self._facts.index(fact))
            for symbol, fact in (tells or {}).items()
        }
        self._rules = rules(lines, of_unit or {})
        self._first = dict.fromkeys(self._rules, _NOTHING)
        self._grow_first()
        self._matchers = {name: self._plain_matcher(node) for name, node in self._rules.items()}
        self.words = frozenset(terminals(self._rules.values()))

    def readings(
        self, rule: str, symbols: Symbols, flags: frozenset[str]
    ) -> frozenset[frozenset[str]]:
        """Return what the tokens may tell: the facts of each way to read them all by the rule."""
        if len(symbols) > MOST_TOKENS:
            return frozenset()
        ends = self._ends(rule, Parse(symbols, flags), 0)
        return frozenset(self._told(end) for end in ends if end & _PLACE == len(symbols))

    def ends(
        self, rule: str, symbols: Symbols, start: int, flags: frozenset[str] = frozenset()
    ) -> frozenset[int]:
        """Return where the rule may end that begins at this token."""
        parse = Parse(symbols[start : start + MOST_TOKENS], flags)
        return frozenset(start + (end & _PLACE) for end in self._ends(rule, parse, 0))

    def _told(self, end: int) -> frozenset[str]:
        told = end >> _PLACE_BITS
        return frozenset(fact for place, fact in enumerate(self._facts) if told >> place & 1)

    def _grow_first(self) -> None:
        changed = True
        while changed:
            changed = False
            for name, node in self._rules.items():
                grown = self._first_of(node)
                if grown != self._first[name]:
                    self._first[name], changed = grown, True

    def _first_of(self, node: Node) -> "_First":
        match node.kind:
            case "words":
                return _First(node.words, nullable=False)
            case "flag":
                return _First(frozenset(), nullable=True)
            case "rule":
                return self._first[node.value]
            case "choice":
                every = [self._first_of(part) for part in node.parts]
                symbols = frozenset().union(*(one.symbols for one in every))
                return _First(symbols, nullable=any(one.nullable for one in every))
            case "row":
                symbols, nullable = frozenset(), True
                for part in node.parts:
                    one = self._first_of(part)
                    symbols |= one.symbols
                    if not one.nullable:
                        nullable = False
                        break
                return _First(symbols, nullable=nullable)
        [part] = node.parts
        return _First(self._first_of(part).symbols, nullable=True)

    def _ends(self, name: str, parse: Parse, start: int) -> frozenset[int]:
        key = (name, start)
        found = parse.ends.get(key)
        if found is None:
            # A rule that calls itself at the same place finds nothing there.
            parse.ends[key] = _NOWHERE
            found = self._matchers[name](parse, start)
            parse.ends[key] = found
        return found

    def _matcher(self, node: Node) -> Matcher:
        matcher = self._plain_matcher(node)
        first = self._first_of(node)
        if first.nullable or node.kind == "words":
            return matcher
        symbols = first.symbols

        def guarded(parse: Parse, start: int) -> frozenset[int]:
            if start >= len(parse.symbols) or symbols.isdisjoint(parse.symbols[start]):
                return _NOWHERE
            return matcher(parse, start)

        return guarded

    def _plain_matcher(self, node: Node) -> Matcher:
        match node.kind:
            case "words":
                bits = {word: self._bits[word] for word in node.words if word in self._bits}
                return _telling_matcher(node.words, bits) if bits else _words_matcher(node.words)
            case "flag":
                return _flag_matcher(node.value, self._bits.get(f"?{node.value}", 0))
            case "rule":
                return functools.partial(self._ends, node.value)
            case "choice":
                return self._choice_matcher(node)
            case "row":
                return self._row_matcher(node)
        [part] = node.parts
        inner = self._matcher(part)
        return _optional_matcher(inner) if node.kind == "optional" else _repeated_matcher(inner)

    def _row_matcher(self, node: Node) -> Matcher:
        """Return a matcher; who calls it has looked at the symbol that the row begins with."""
        if not node.parts:
            return _empty_matcher
        head, *others = node.parts
        guarded = self._first_of(head).nullable
        first = self._matcher(head) if guarded else self._plain_matcher(head)
        return _row_matcher(first, [self._matcher(part) for part in others])

    def _choice_matcher(self, node: Node) -> Matcher:
        """Return a matcher that tries only the alternatives that may begin with the symbols."""
        places: dict[str, int] = {}
        always = 0
        for place, part in enumerate(node.parts):
            first = self._first_of(part)
            always |= first.nullable << place
            for symbol in first.symbols:
                places[symbol] = places.get(symbol, 0) | 1 << place
        matchers = [self._plain_matcher(part) for part in node.parts]
        chosen: dict[int, list[Matcher]] = {}

        def match(parse: Parse, start: int) -> frozenset[int]:
            bits = always
            if start < len(parse.symbols):
                for symbol in parse.symbols[start]:
                    bits |= places.get(symbol, 0)
            if not bits:
                return _NOWHERE
            fitting = chosen.get(bits)
            if fitting is None:
                fitting = [one for place, one in enumerate(matchers) if bits >> place & 1]
                chosen[bits] = fitting
            found = _NOWHERE
            for matcher in fitting:
                ends = matcher(parse, start)
                if ends:
                    found = found | ends if found else ends
            return found

        return match


@dataclass(frozen=True, slots=True)
class _First:
    """The symbols that a part may begin with."""

    symbols: frozenset[str]
    nullable: bool


_NOTHING = _First(frozenset(), nullable=False)
_AFTER = tuple(frozenset((place,)) for place in range(MOST_TOKENS + 1))


def _words_matcher(words: frozenset[str]) -> Matcher:
    if len(words) == 1:
        return _word_matcher(*words)

    def match(parse: Parse, start: int) -> frozenset[int]:
        if start < len(parse.symbols) and not words.isdisjoint(parse.symbols[start]):
            return _AFTER[start + 1]
        return _NOWHERE

    return match


def _word_matcher(word: str) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        if start < len(parse.symbols) and word in parse.symbols[start]:
            return _AFTER[start + 1]
        return _NOWHERE

    return match


def _telling_matcher(words: frozenset[str], bits: Mapping[str, int]) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        if start >= len(parse.symbols):
            return _NOWHERE
        found = words & parse.symbols[start]
        return frozenset([start + 1 | bits.get(word, 0) for word in found])

    return match


def _flag_matcher(flag: str, bit: int) -> Matcher:
    wanted, negated = flag.lstrip("!"), flag.startswith("!")

    def match(parse: Parse, start: int) -> frozenset[int]:
        return frozenset((start | bit,)) if (wanted in parse.flags) is not negated else _NOWHERE

    return match


def _after(matcher: Matcher, parse: Parse, places: Iterable[int]) -> frozenset[int]:
    """Return the places after one more part; what was told stays told."""
    found = _NOWHERE
    for place in places:
        start = place & _PLACE
        ends = matcher(parse, start)
        if ends and place != start:
            told = place ^ start
            ends = frozenset([end | told for end in ends])
        if ends:
            found = found | ends if found else ends
    return found


def _row_matcher(first: Matcher, others: list[Matcher]) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        places = first(parse, start)
        for matcher in others:
            if not places:
                return _NOWHERE
            places = _after(matcher, parse, places)
        return places

    return match


def _empty_matcher(parse: Parse, start: int) -> frozenset[int]:  # noqa: ARG001 a matcher
    return frozenset((start,))


def _optional_matcher(inner: Matcher) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        ends = inner(parse, start)
        return ends | {start} if ends else frozenset((start,))

    return match


def _repeated_matcher(inner: Matcher) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        fresh = inner(parse, start)
        found = fresh | {start}
        while fresh:
            fresh = _after(inner, parse, fresh) - found
            found |= fresh
        return found

    return match


@functools.cache
def grammar() -> Grammar:
    lines = [*read_lines("grammaire.txt"), *read_lines("grammaire_contexte.txt")]
    return Grammar(lines, TELLS, OF_UNIT)
