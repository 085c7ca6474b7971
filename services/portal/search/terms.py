"""The terms that the lexemes of an entry must meet, and how they are written as a tsquery. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shared.search.entries import quoted

Weight = Literal["", "A", "C"]


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A lexeme that an entry has: of names (A), of the place (C), or anywhere.

    `is_prefix`: one that begins so is enough.
    """

    text: str
    weight: Weight = ""
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: Sequence["Terms"]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True of nothing where it has no parts."""

    parts: Sequence["Terms"]

    def __bool__(self) -> bool:
        return bool(self.parts)


@dataclass(frozen=True, slots=True)
class NoneOf:
    lexeme: Lexeme


Terms = Lexeme | AllOf | AnyOf | NoneOf


def tsquery(terms: Terms) -> str:
    """Write the terms as PostgreSQL reads a tsquery."""
    match terms:
        case Lexeme():
            marks = ("*" if terms.is_prefix else "") + terms.weight
            return quoted(terms.text) + (f":{marks}" if marks else "")
        case NoneOf():
            return f"!{tsquery(terms.lexeme)}"
        case AllOf():
            return " & ".join(_grouped(part) for part in terms.parts)
        case AnyOf():
            return " | ".join(_grouped(part) for part in terms.parts)


def _grouped(terms: Terms) -> str:
    written = tsquery(terms)
    return written if isinstance(terms, Lexeme | NoneOf) else f"({written})"
