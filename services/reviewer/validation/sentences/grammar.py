"""A grammar as a table file, and its parser; `notation` reads the table."""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from services.reviewer.french.data import read_lines
from services.reviewer.validation.sentences.notation import Node, rules

Symbols = Sequence[frozenset[str]]
"""The symbols of each token: its word, and what it is among the facts."""

_NOWHERE: frozenset[int] = frozenset()


@dataclass(slots=True)
class Parse:
    """One sentence while it is parsed: `ends` has where each rule may end, by rule and start."""

    symbols: Symbols
    flags: frozenset[str]
    ends: dict[tuple[str, int], frozenset[int]] = field(default_factory=dict)


Matcher = Callable[[Parse, int], frozenset[int]]


class Grammar:
    """The rules by name. The empty match is allowed for optional parts and conditions only."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._rules = rules(lines)
        self._first = dict.fromkeys(self._rules, _NOTHING)
        self._grow_first()
        self._matchers = {name: self._matcher(node) for name, node in self._rules.items()}
        self.words = frozenset(_terminals(self._rules.values()))

    def covers(self, rule: str, symbols: Symbols, flags: frozenset[str]) -> bool:
        """Return whether the rule covers all tokens."""
        return len(symbols) in self._ends(rule, Parse(symbols, flags), 0)

    def ends(
        self, rule: str, symbols: Symbols, start: int, flags: frozenset[str] = frozenset()
    ) -> frozenset[int]:
        """Return where the rule may end that begins at this token."""
        return self._ends(rule, Parse(symbols, flags), start)

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
                return _First(frozenset(node.value.split("\0")), nullable=False)
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
                return _words_matcher(frozenset(node.value.split("\0")))
            case "flag":
                return _flag_matcher(node.value)
            case "rule":
                return functools.partial(self._ends, node.value)
            case "choice":
                return _choice_matcher([self._matcher(part) for part in node.parts])
            case "row":
                return _row_matcher([self._matcher(part) for part in node.parts])
        [part] = node.parts
        inner = self._matcher(part)
        return _optional_matcher(inner) if node.kind == "optional" else _repeated_matcher(inner)


@dataclass(frozen=True, slots=True)
class _First:
    symbols: frozenset[str]
    nullable: bool


_NOTHING = _First(frozenset(), nullable=False)


def _words_matcher(words: frozenset[str]) -> Matcher:
    if len(words) == 1:
        return _word_matcher(*words)

    def match(parse: Parse, start: int) -> frozenset[int]:
        if start < len(parse.symbols) and not words.isdisjoint(parse.symbols[start]):
            return frozenset((start + 1,))
        return _NOWHERE

    return match


def _word_matcher(word: str) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        if start < len(parse.symbols) and word in parse.symbols[start]:
            return frozenset((start + 1,))
        return _NOWHERE

    return match


def _flag_matcher(flag: str) -> Matcher:
    wanted, negated = flag.lstrip("!"), flag.startswith("!")

    def match(parse: Parse, start: int) -> frozenset[int]:
        return frozenset((start,)) if (wanted in parse.flags) is not negated else _NOWHERE

    return match


def _choice_matcher(matchers: list[Matcher]) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        found = _NOWHERE
        for matcher in matchers:
            ends = matcher(parse, start)
            if ends:
                found = found | ends if found else ends
        return found

    return match


def _row_matcher(matchers: list[Matcher]) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        places = frozenset((start,))
        for matcher in matchers:
            if len(places) == 1:
                [place] = places
                places = matcher(parse, place)
            else:
                places = frozenset().union(*[matcher(parse, place) for place in places])
            if not places:
                return _NOWHERE
        return places

    return match


def _optional_matcher(inner: Matcher) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        ends = inner(parse, start)
        return ends | {start} if ends else frozenset((start,))

    return match


def _repeated_matcher(inner: Matcher) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        fresh = set(inner(parse, start))
        if not fresh:
            return frozenset((start,))
        found = {start, *fresh}
        while fresh:
            fresh = {end for place in fresh for end in inner(parse, place)} - found
            found |= fresh
        return frozenset(found)

    return match


def _terminals(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        if node.kind == "words":
            yield from node.value.split("\0")
        yield from _terminals(node.parts)


@functools.cache
def grammar() -> Grammar:
    return Grammar(read_lines("grammaire.txt"))
