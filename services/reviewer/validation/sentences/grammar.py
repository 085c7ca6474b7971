"""The parser of a grammar: which facts a sentence may be read to tell.

`matchers.py` has what a place of a parse is.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.reviewer.french.data import read_lines
from services.reviewer.validation.sentences.matchers import (
    MOST_TOKENS,
    NOWHERE,
    PLACE,
    PLACE_BITS,
    Matcher,
    Parse,
    Symbols,
    empty_matcher,
    few_matcher,
    flag_matcher,
    guarded_matcher,
    needing_matcher,
    optional_matcher,
    repeated_matcher,
    row_matcher,
    telling_matcher,
    words_matcher,
)
from services.reviewer.validation.sentences.needs import Needs
from services.reviewer.validation.sentences.notation import Node, rules, terminals
from services.reviewer.validation.sentences.told import OF_UNIT, TELLS


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
            symbol: 1 << (PLACE_BITS + self._facts.index(fact))
            for symbol, fact in (tells or {}).items()
        }
        self._rules = rules(lines, of_unit or {})
        self._first = dict.fromkeys(self._rules, _NOTHING)
        self._grow_first()
        self._needs = Needs(self._rules)
        self._made: dict[Node, Matcher] = {}
        self._guarded: dict[Node, Matcher] = {}
        self._firsts: dict[Node, _First] = {}
        self._sets: dict[frozenset[str], frozenset[str]] = {}
        self._matchers = {name: self._plain_matcher(node) for name, node in self._rules.items()}
        self.words = frozenset(terminals(self._rules.values()))
        self._needs.finish()
        # Each process keeps a grammar: what only its making needed goes.
        self._rules, self._first, self._made, self._guarded = {}, {}, {}, {}
        self._firsts, self._sets = {}, {}

    def parse(self, symbols: Symbols, flags: frozenset[str] = frozenset()) -> Parse:
        """Return a parse for all rules that are tried on these tokens, the first MOST_TOKENS."""
        symbols = symbols[:MOST_TOKENS]
        return Parse(symbols, flags, self._needs.lacking(symbols, flags))

    def readings(self, rule: str, parse: Parse) -> frozenset[frozenset[str]]:
        """Return what the tokens may tell: the facts of each way to read them all by the rule."""
        last = len(parse.symbols)
        ends = self._ends(rule, parse, 0)
        return frozenset(self._told(end) for end in ends if end & PLACE == last)

    def ends(self, rule: str, parse: Parse, start: int) -> frozenset[int]:
        """Return where the rule may end that begins at this token."""
        return frozenset(self.readings_by_end(rule, parse, start))

    def readings_by_end(
        self, rule: str, parse: Parse, start: int
    ) -> dict[int, frozenset[frozenset[str]]]:
        """Return what the tokens may tell by where the rule may end that begins at this token."""
        found: dict[int, set[frozenset[str]]] = {}
        for end in self._ends(rule, parse, start):
            found.setdefault(end & PLACE, set()).add(self._told(end))
        return {end: frozenset(told) for end, told in found.items()}

    def _told(self, end: int) -> frozenset[str]:
        told = end >> PLACE_BITS
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

    def _known_first(self, node: Node) -> "_First":
        """Return the same for equal parts, once all rules are known; equal sets are one set."""
        found = self._firsts.get(node)
        if found is None:
            first = self._first_of(node)
            found = _First(self._sets.setdefault(first.symbols, first.symbols), first.nullable)
            self._firsts[node] = found
        return found

    def _ends(self, name: str, parse: Parse, start: int) -> frozenset[int]:
        key = (name, start)
        found = parse.ends.get(key)
        if found is None:
            # A rule that calls itself at the same place finds nothing there.
            parse.ends[key] = NOWHERE
            found = self._matchers[name](parse, start)
            parse.ends[key] = found
        return found

    def _matcher(self, node: Node) -> Matcher:
        """Return the matcher that looks at the first symbol; equal parts share one."""
        made = self._guarded.get(node)
        if made is None:
            made = self._guarded[node] = self._guard(node)
        return made

    def _guard(self, node: Node) -> Matcher:
        matcher = self._plain_matcher(node)
        first = self._known_first(node)
        if node.kind in {"words", "flag", "optional", "repeated"}:
            return matcher
        needs = self._needs.mask(node)
        if first.nullable:
            return needing_matcher(matcher, needs) if needs else matcher
        return guarded_matcher(matcher, first.symbols, needs)

    def _plain_matcher(self, node: Node) -> Matcher:
        """Return the matcher of the part; equal parts share one."""
        made = self._made.get(node)
        if made is None:
            made = self._made[node] = self._make_matcher(node)
        return made

    def _make_matcher(self, node: Node) -> Matcher:
        match node.kind:
            case "words":
                bits = {word: self._bits[word] for word in node.words if word in self._bits}
                return telling_matcher(node.words, bits) if bits else words_matcher(node.words)
            case "flag":
                return flag_matcher(node.value, self._bits.get(f"?{node.value}", 0))
            case "rule":
                return functools.partial(self._ends, node.value)
            case "choice":
                many = len(node.parts) > _FEW
                return self._choice_matcher(node) if many else self._few_matcher(node)
            case "row":
                return self._row_matcher(node)
        [part] = node.parts
        inner = self._matcher(part)
        return optional_matcher(inner) if node.kind == "optional" else repeated_matcher(inner)

    def _row_matcher(self, node: Node) -> Matcher:
        """Return a matcher; who calls it has looked at the symbol that the row begins with."""
        if not node.parts:
            return empty_matcher
        head, *others = node.parts
        guarded = self._known_first(head).nullable
        first = self._matcher(head) if guarded else self._plain_matcher(head)
        return row_matcher(first, [self._matcher(part) for part in others])

    def _few_matcher(self, node: Node) -> Matcher:
        return few_matcher([self._matcher(part) for part in node.parts])

    def _choice_matcher(self, node: Node) -> Matcher:
        """Return a matcher that tries only the alternatives that may begin with the symbols."""
        places: dict[str, int] = {}
        always = 0
        for place, part in enumerate(node.parts):
            first = self._known_first(part)
            always |= first.nullable << place
            for symbol in first.symbols:
                places[symbol] = places.get(symbol, 0) | 1 << place
        matchers = [(self._needs.mask(part), self._plain_matcher(part)) for part in node.parts]
        chosen: dict[int, list[tuple[int, Matcher]]] = {}

        def match(parse: Parse, start: int) -> frozenset[int]:
            bits = always
            if start < len(parse.symbols):
                for symbol in parse.symbols[start]:
                    bits |= places.get(symbol, 0)
            if not bits:
                return NOWHERE
            fitting = chosen.get(bits)
            if fitting is None:
                fitting = [one for place, one in enumerate(matchers) if bits >> place & 1]
                chosen[bits] = fitting
            lacks = parse.lacks[start]
            found = NOWHERE
            for needs, matcher in fitting:
                if not needs & lacks and (ends := matcher(parse, start)):
                    found = found | ends if found else ends
            return found

        return match


_FEW = 5
"""Alternatives of which each looks at the first symbol itself: a table of symbols costs memory."""


@dataclass(frozen=True, slots=True)
class _First:
    """The symbols that a part may begin with."""

    symbols: frozenset[str]
    nullable: bool


_NOTHING = _First(frozenset(), nullable=False)


@functools.cache
def grammar() -> Grammar:
    tables = ("grammaire.txt", "grammaire_contexte.txt", "grammaire_libre.txt")
    lines = [line for table in tables for line in read_lines(table)]
    return Grammar(lines, TELLS, OF_UNIT)
