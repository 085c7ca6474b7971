"""A grammar as a table file, and its parser.

The notation of the table, which `french/data/grammaire.txt` explains to a linguist: a rule is
`NAME: alternative | alternative`, further lines are indented. An alternative is a row of words,
`NAMES` of rules, `<facts>`, `?conditions`, `[optional]`, `(grouped | parts)` and `{repeated}`
parts. `situé~` is the word in its four agreements, `exerc/e,ent` has endings after the slash.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from services.reviewer.french.data import read_lines

Symbols = Sequence[frozenset[str]]
"""The symbols of each token: its word, and what it is among the facts."""

_RULE = re.compile(r"([A-Z][A-Z_0-9]*):(.*)")
# An elided word is a word of its own, as in tokens.
_PART = re.compile(r"[|()\[\]{}]|\b(?:[a-z]|qu)'|[^\s|()\[\]{}]+")
_NAME = re.compile(r"[A-Z][A-Z_0-9]*")
_AGREEMENTS = ("", "e", "s", "es")
_NOWHERE: frozenset[int] = frozenset()
_CLOSERS = {"(": ")", "[": "]", "{": "}"}


@dataclass(slots=True)
class Parse:
    """One sentence while it is parsed: `ends` has where each rule may end, by rule and start."""

    symbols: Symbols
    flags: frozenset[str]
    ends: dict[tuple[str, int], frozenset[int]] = field(default_factory=dict)


Matcher = Callable[[Parse, int], frozenset[int]]


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a rule: `first` are the symbols that it may begin with."""

    kind: str
    value: str = ""
    parts: tuple["Node", ...] = ()


class Grammar:
    """The rules by name. The empty match is allowed for optional parts and conditions only."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._rules = {name: _Source(text).alternatives() for name, text in _rules(lines)}
        self._first = dict.fromkeys(self._rules, _NOTHING)
        self._grow_first()
        self._matchers = {name: self._matcher(node) for name, node in self._rules.items()}
        self.words = frozenset(_terminals(self._rules.values()))

    def covers(self, rule: str, symbols: Symbols, flags: frozenset[str]) -> bool:
        """Return whether the rule covers all tokens."""
        return len(symbols) in self._ends(rule, Parse(symbols, flags), 0)

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
    def match(parse: Parse, start: int) -> frozenset[int]:
        if start < len(parse.symbols) and not words.isdisjoint(parse.symbols[start]):
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
        found: set[int] = set()
        for matcher in matchers:
            found |= matcher(parse, start)
        return frozenset(found)

    return match


def _row_matcher(matchers: list[Matcher]) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        places = frozenset((start,))
        for matcher in matchers:
            after: set[int] = set()
            for place in places:
                after |= matcher(parse, place)
            if not after:
                return _NOWHERE
            places = frozenset(after)
        return places

    return match


def _optional_matcher(inner: Matcher) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        return inner(parse, start) | {start}

    return match


def _repeated_matcher(inner: Matcher) -> Matcher:
    def match(parse: Parse, start: int) -> frozenset[int]:
        found, fresh = {start}, {start}
        while fresh:
            fresh = {end for place in fresh for end in inner(parse, place)} - found
            found |= fresh
        return frozenset(found)

    return match


def _rules(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    name, text = "", ""
    for line in filter(str.strip, lines):
        found = _RULE.match(line)
        if found is None:
            text = f"{text} {line.strip()}"
            continue
        if name:
            yield name, text
        name, text = found.group(1), found.group(2)
    yield name, text


class _Source:
    """The parts of one rule's text, read from left to right."""

    def __init__(self, text: str) -> None:
        self._parts = _PART.findall(text)
        self._place = 0

    def alternatives(self) -> Node:
        rows = [self._row()]
        while self._peek() == "|":
            self._place += 1
            rows.append(self._row())
        plain = [row.value for row in rows if row.kind == "words"]
        others = [row for row in rows if row.kind != "words"]
        if plain:
            others.append(Node("words", "\0".join(plain)))
        return others[0] if len(others) == 1 else Node("choice", parts=tuple(others))

    def _peek(self) -> str | None:
        return self._parts[self._place] if self._place < len(self._parts) else None

    def _row(self) -> Node:
        parts = []
        while (part := self._peek()) is not None and part not in "|)]}":
            self._place += 1
            parts.append(self._part(part))
        return parts[0] if len(parts) == 1 else Node("row", parts=tuple(parts))

    def _part(self, part: str) -> Node:
        closer = _CLOSERS.get(part)
        if closer is not None:
            inner = self.alternatives()
            if self._peek() != closer:
                raise ValueError(f"{closer} is missing in {self._parts}")
            self._place += 1
            kinds = {"[": "optional", "{": "repeated"}
            return inner if part == "(" else Node(kinds[part], parts=(inner,))
        if part.startswith("?"):
            return Node("flag", part[1:])
        if _NAME.fullmatch(part):
            return Node("rule", part)
        return Node("words", "\0".join(inflections(part)))


def inflections(word: str) -> Iterator[str]:
    stem, slash, endings = word.partition("/")
    if slash and stem:
        yield from (stem + ending for ending in endings.split(","))
    elif word.endswith("~"):
        yield from (word[:-1] + ending for ending in _AGREEMENTS)
    else:
        yield word


def _terminals(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        if node.kind == "words":
            yield from node.value.split("\0")
        yield from _terminals(node.parts)


@functools.cache
def grammar() -> Grammar:
    return Grammar(read_lines("grammaire.txt"))
