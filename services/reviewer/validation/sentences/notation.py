"""The notation of a grammar's table, which `french/data/grammaire.txt` explains to a linguist.

A rule is `NAME: alternative | alternative`, further lines are indented. An alternative is a row of
words, `NAMES` of rules, `<facts>`, `?conditions`, `[optional]`, `(grouped | parts)` and
`{repeated}` parts. `situé~` is the word in its four agreements, `exerc/e,ent` has endings after
the slash.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_RULE = re.compile(r"([A-Z][A-Z_0-9]*):(.*)")
# An elided word is a word of its own, as in tokens.
_PART = re.compile(r"[|()\[\]{}]|\b(?:[a-z]|qu)'|[^\s|()\[\]{}]+")
_NAME = re.compile(r"[A-Z][A-Z_0-9]*")
_AGREEMENTS = ("", "e", "s", "es")
_CLOSERS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a rule: `first` are the symbols that it may begin with."""

    kind: str
    value: str = ""
    parts: tuple["Node", ...] = ()


def rules(lines: Sequence[str]) -> dict[str, Node]:
    """Return the rules by name."""
    return {name: _Source(text).alternatives() for name, text in _rules(lines)}


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
