"""The notation of a grammar's table, which `french/data/grammaire.txt` explains to a linguist.

A rule is `NAME: alternative | alternative`, further lines are indented. An alternative is a row of
words, `NAMES` of rules, `<facts>`, `?conditions`, `[optional]`, `(grouped | parts)` and
`{repeated}` parts. `situé~` is the word in its four agreements, `exerc/e,ent` has endings after
the slash. `NAME*` is the same rule said of the legal unit, `NAME°` said of the establishment.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

_RULE = re.compile(r"([A-Z][A-Z_0-9]*):(.*)")
# An elided word is a word of its own, as in tokens.
_PART = re.compile(r"[|()\[\]{}]|\b(?:[a-z]|qu)'|[^\s|()\[\]{}]+")
_NAME = re.compile(r"[A-Z][A-Z_0-9]*[*°]?")
_AGREEMENTS = ("", "e", "s", "es")
_CLOSERS = {"(": ")", "[": "]", "{": "}"}
_OF_THE_UNIT = "*"
_OF_THE_ESTABLISHMENT = "°"
_SAID_OF_THE_UNIT = "unite"
"""The condition that holds in rules that are said of the unit, and only there."""


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a rule. The words of a node of that kind are joined by zero characters."""

    kind: str
    value: str = ""
    parts: tuple["Node", ...] = ()

    @property
    def words(self) -> frozenset[str]:
        return frozenset(self.value.split("\0"))


_NEVER = Node("choice")


def rules(lines: Sequence[str], of_unit: Mapping[str, str]) -> dict[str, Node]:
    """Return the rules by name; `of_unit` has the unit's symbol for one of the establishment."""
    sources = {name: _Source(text).alternatives() for name, text in _texts(lines)}
    changed = _changed(sources, of_unit)
    found: dict[str, Node] = {}
    seen: dict[Node, Node] = {}
    wanted = list(sources)
    while wanted:
        name = wanted.pop()
        if name not in found:
            bare = name.removesuffix(_OF_THE_UNIT)
            said = _Said(name != bare, of_unit, changed, seen)
            found[name] = said.of(sources[bare]) or _NEVER
            wanted += _references(found[name])
    return found


def _changed(sources: Mapping[str, Node], of_unit: Mapping[str, str]) -> frozenset[str]:
    """Return the rules that say something else of the unit."""
    changed: set[str] = set()
    grown = True
    while grown:
        fresh = {name for name, node in sources.items() if _changes(node, of_unit, changed)}
        grown, changed = not fresh <= changed, changed | fresh
    return frozenset(changed)


def _changes(node: Node, of_unit: Mapping[str, str], changed: set[str]) -> bool:
    if node.kind == "words":
        return any(word in of_unit for word in node.words)
    if node.kind == "flag":
        wanted = node.value.lstrip("!")
        return wanted == _SAID_OF_THE_UNIT or wanted in of_unit
    if node.kind == "rule":
        return node.value in changed
    return any(_changes(part, of_unit, changed) for part in node.parts)


def _references(node: Node) -> Iterator[str]:
    if node.kind == "rule":
        yield node.value
    for part in node.parts:
        yield from _references(part)


@dataclass(frozen=True, slots=True)
class _Said:
    """The subject of which rules are said: the unit, or what the table says."""

    of_the_unit: bool
    symbols: Mapping[str, str]
    changed: frozenset[str]
    seen: dict[Node, Node]

    def of(self, node: Node) -> Node | None:
        """Return the part as it is said of the subject; None where it cannot be said of it.

        Equal parts are one: a table has thousands of them.
        """
        made = self._made(node)
        return None if made is None else self.seen.setdefault(made, made)

    def _made(self, node: Node) -> Node | None:
        match node.kind:
            case "words":
                return replace(node, value=self._words(node)) if self.of_the_unit else node
            case "rule":
                return replace(node, value=self._rule(node.value))
            case "flag":
                return self._flag(node)
        parts = [self.of(part) for part in node.parts]
        kept = tuple(part for part in parts if part is not None)
        if node.kind == "row":
            return replace(node, parts=kept) if len(kept) == len(parts) else None
        if node.kind == "choice":
            return replace(node, parts=kept) if kept else None
        return replace(node, parts=kept) if kept else Node("row")

    def _rule(self, name: str) -> str:
        bare = name.rstrip(_OF_THE_UNIT + _OF_THE_ESTABLISHMENT)
        of_the_unit = self.of_the_unit if name == bare else name.endswith(_OF_THE_UNIT)
        return bare + _OF_THE_UNIT if of_the_unit and bare in self.changed else bare

    def _words(self, node: Node) -> str:
        return "\0".join(self.symbols.get(word, word) for word in node.value.split("\0"))

    def _flag(self, node: Node) -> Node | None:
        wanted, negated = node.value.lstrip("!"), node.value.startswith("!")
        if wanted == _SAID_OF_THE_UNIT:
            return Node("row") if self.of_the_unit is not negated else None
        if self.of_the_unit and wanted in self.symbols:
            return Node("flag", node.value.replace(wanted, self.symbols[wanted]))
        return node


def _texts(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
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


def terminals(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        if node.kind == "words":
            yield from node.words
        yield from terminals(node.parts)
