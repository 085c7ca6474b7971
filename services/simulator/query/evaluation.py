"""The predicate of a query over rows, and the range of SIRETs that can satisfy it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from services.simulator.errors import QuerySyntaxError
from services.simulator.generation.reference import Variable
from services.simulator.query.comparison import matcher
from services.simulator.query.parser import parse
from services.simulator.query.tree import And, Node, Not, Or, PeriodeNode, Range, Term, Word
from services.simulator.query.variables import Collection, fields_of, is_text

_FIRST = ""
_LAST = "~"  # sorts after every digit
_CHEAP = frozenset({"siren", "siret", "codeCommuneEtablissement"})
_REMEMBERED = 20_000
_BY_SOUND = ".phonetisation"


class QueriedRow(Protocol):
    """A unit or establishment as a query reads it, unmasked."""

    def value(self, field: str) -> object:
        """Return the value of a field that is not historised; None when it is null or absent."""
        ...

    def periodes(self) -> Sequence[Mapping[str, object]]:
        """Return its periods, or the one that holds the date asked for."""
        ...

    def hides(self, field: str) -> bool:
        """Return whether partial diffusion hides this field of this row."""
        ...


Predicate = Callable[[QueriedRow], bool]


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled query: its predicate, and the identifiers between which to look.

    `low` and `high` bound the SIRET (or SIREN) of every row that can match, both included;
    `high` is compared with the beginning of the identifier.
    """

    matches: Predicate
    low: str = _FIRST
    high: str = _LAST


def compile_query(text: str, collection: Collection) -> Query:
    """Raises BadRequestError with INSEE's message where INSEE would answer 400."""
    tree = parse(text)
    compiler = _Compiler(text, fields_of(collection))
    predicate = compiler.test(tree)
    maskable = sorted(name for name in compiler.named if compiler.fields[name].masque)
    low, high = _bounds(tree, collection)
    if not maskable:
        return Query(predicate, low, high)

    def visible(row: QueriedRow) -> bool:
        return predicate(row) and not any(row.hides(name) for name in maskable)

    return Query(visible, low, high)


class _Compiler:
    def __init__(self, text: str, fields: Mapping[str, Variable]) -> None:
        self._text = text
        self.fields = fields
        self.named: set[str] = set()

    def test(self, node: Node, *, in_period: bool = False) -> Callable[[Any], bool]:
        """Return the test of a row, or of one of its periods."""
        match node:
            case Term(written, value):
                field = self._field(written, historised=in_period)
                name, matches = field.nom, matcher(field, value, self._text)
                if in_period:
                    return lambda periode: matches(periode.get(name))
                # Codes repeat: a look-up is several times faster than a new comparison.
                known = lru_cache(maxsize=_REMEMBERED)(matches)
                return lambda row: known(row.value(name))
            case Not(inner):
                negated = self.test(inner, in_period=in_period)
                return lambda found: not negated(found)
            case And(parts):
                ordered = parts if in_period else sorted(parts, key=_cost)
                both = [self.test(part, in_period=in_period) for part in ordered]
                return lambda found: all(part(found) for part in both)
            case Or(parts):
                either = [self.test(part, in_period=in_period) for part in parts]
                return lambda found: any(part(found) for part in either)
            case PeriodeNode(inner):
                if in_period:
                    raise QuerySyntaxError(self._text)
                holds = self.test(inner, in_period=True)
                return lambda row: any(map(holds, row.periodes()))

    def _field(self, name: str, *, historised: bool) -> Variable:
        # INSEE also searches by sound; here the sound is the spelling without accents or case.
        plain = name.removesuffix(_BY_SOUND)
        field = self.fields.get(plain)
        if field is None or field.historise != historised or (plain != name and not is_text(plain)):
            raise QuerySyntaxError(self._text)
        self.named.add(plain)
        return field


def _cost(node: Node) -> int:
    """Rank the work of a node, so that a conjunction tests the cheap terms first."""
    match node:
        case Term(name, _):
            return 0 if name in _CHEAP or name.startswith("dateDernierTraitement") else 3
        case Not(inner):
            return _cost(inner)
        case PeriodeNode():
            return 2
        case And(parts) | Or(parts):
            return max(map(_cost, parts))


def _bounds(node: Node, collection: Collection) -> tuple[str, str]:
    """Return the bounds of the identifiers, from the terms that must all hold."""
    low, high = _FIRST, _LAST
    for term in _necessary(node):
        if term.field in {"siren", collection}:
            first, last = _bounds_of(term.value)
            low, high = max(low, first), min(high, last)
    return low, high


def _necessary(node: Node) -> Iterator[Term]:
    match node:
        case Term():
            yield node
        case And(parts):
            for part in parts:
                yield from _necessary(part)


def _bounds_of(value: Word | Range) -> tuple[str, str]:
    if isinstance(value, Range):
        return value.low or _FIRST, value.high or _LAST
    fixed = value.text[: min(value.wild)] if value.wild else value.text
    return (fixed, fixed) if fixed else (_FIRST, _LAST)
