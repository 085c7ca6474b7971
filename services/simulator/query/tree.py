"""The nodes of a parsed query."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """One value; `wild` holds the positions of its wildcards, neither quoted nor escaped."""

    text: str
    wild: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Range:
    """A range from `low` to `high`; None is an open end. Braces exclude the ends."""

    low: str | None
    high: str | None
    with_low: bool
    with_high: bool


@dataclass(frozen=True, slots=True)
class Term:
    field: str
    value: Word | Range


@dataclass(frozen=True, slots=True)
class Not:
    inner: "Node"


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class PeriodeNode:
    """One period, whichever it is, satisfies the whole of `inner`."""

    inner: "Node"


Node = Term | Not | And | Or | PeriodeNode
