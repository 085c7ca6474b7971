"""The predicate of a query over rows, and the range of SIRETs that can satisfy it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.simulator.errors import QuerySyntaxError
from services.simulator.query.comparison import matcher
from services.simulator.query.parser import parse
from services.simulator.query.tree import And, Node, Not, Or, PeriodeNode, Range, Term, Word
from services.simulator.query.variables import Collection, Field, fields_of

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
_InPeriod = Callable[[Mapping[str, object]], bool]


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled query: its predicate, and the identifiers between which to look.

    `low` and `high` bound the SIRET (or SIREN) of every row that can match, both included;
    `high` is compared with the beginning of the identifier.
    """

    matches: Predicate
    low: str = _FIRST
    high: str = _LAST


def everything() -> Query:
    return Query(lambda _row: True)


def compile_query(text: str, collection: Collection) -> Query:
    """Raises BadRequestError with INSEE's message where INSEE would answer 400."""
    tree = parse(text)
    compiler = _Compiler(text, fields_of(collection))
    predicate = compiler.outside(tree)
    maskable = sorted(name for name in compiler.named if compiler.fields[name].maskable)
    low, high = _bounds(tree, collection)
    if not maskable:
        return Query(predicate, low, high)

    def visible(row: QueriedRow) -> bool:
        return predicate(row) and not any(row.hides(name) for name in maskable)

    return Query(visible, low, high)


class _Compiler:
    def __init__(self, text: str, fields: Mapping[str, Field]) -> None:
        self._text = text
        self.fields = fields
        self.named: set[str] = set()

    def outside(self, node: Node) -> Predicate:
        match node:
            case Term():
                return self._term(node)
            case Not(inner):
                negated = self.outside(inner)
                return lambda row: not negated(row)
            case And(parts):
                both = [self.outside(part) for part in sorted(parts, key=_cost)]
                return lambda row: all(part(row) for part in both)
            case Or(parts):
                either = [self.outside(part) for part in parts]
                return lambda row: any(part(row) for part in either)
            case PeriodeNode(inner):
                holds = self._inside(inner)
                return lambda row: any(holds(periode) for periode in row.periodes())

    def _inside(self, node: Node) -> _InPeriod:
        match node:
            case Term(written, value):
                field = self._field(written, historised=True)
                matches, name = matcher(field, value, self._text), field.name
                return lambda periode: matches(periode.get(name))
            case Not(inner):
                negated = self._inside(inner)
                return lambda periode: not negated(periode)
            case And(parts):
                both = [self._inside(part) for part in parts]
                return lambda periode: all(part(periode) for part in both)
            case Or(parts):
                either = [self._inside(part) for part in parts]
                return lambda periode: any(part(periode) for part in either)
            case PeriodeNode():
                raise QuerySyntaxError(self._text)

    def _term(self, term: Term) -> Predicate:
        field = self._field(term.field, historised=False)
        matches, name = matcher(field, term.value, self._text), field.name
        # Codes repeat: a look-up is several times faster than a new comparison.
        known: dict[object, bool] = {}

        def holds(row: QueriedRow) -> bool:
            value = row.value(name)
            answer = known.get(value)
            if answer is None:
                answer = matches(value)
                if len(known) < _REMEMBERED:
                    known[value] = answer
            return answer

        return holds

    def _field(self, name: str, *, historised: bool) -> Field:
        # INSEE also searches by sound; here the sound is the spelling without accents or case.
        plain = name.removesuffix(_BY_SOUND)
        field = self.fields.get(plain)
        if field is None or field.historised != historised or (plain != name and not field.text):
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
        case _:
            return


def _bounds_of(value: Word | Range) -> tuple[str, str]:
    if isinstance(value, Range):
        return value.low or _FIRST, value.high or _LAST
    fixed = value.text[: min(value.wild)] if value.wild else value.text
    return (fixed, fixed) if fixed else (_FIRST, _LAST)
