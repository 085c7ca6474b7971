"""The parser of `q`, a recursive descent over its tokens.

    query   = or
    or      = and { "OR" and }
    and     = unary { "AND" unary }
    unary   = ( "-" | "NOT" ) unary | primary
    primary = "(" or ")" | "periode" "(" or ")" | field ":" values
    values  = value | "(" value { "OR" value } ")"
    value   = word | "quoted words" | "[" end "TO" end "]" | "{" end "TO" end "}"

Two clauses with nothing between them are an error here: INSEE does not document them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.simulator.errors import QuerySyntaxError
from services.simulator.query.tree import And, Node, Not, Or, PeriodeNode, Range, Term, Word

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<open>\()
    | (?P<close>\))
    | (?P<range>[\[{][^\[\]{}]*[\]}])
    | (?P<quoted>"(?:[^"\\]|\\.)*")
    | (?P<periode>periode(?=\s*\())
    | (?P<field>[A-Za-z]\w*(?:\.\w+)?:)
    | (?P<minus>-(?=[A-Za-z(]))
    | (?P<word>(?:[^\s()\[\]{}"\\:]|\\.)(?:[^\s()\[\]{}"\\]|\\.)*)
    """,
    re.VERBOSE | re.DOTALL,
)
_BOUNDS = re.compile(r'\s*("[^"]*"|\S+)\s+TO\s+("[^"]*"|\S+)\s*')
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class QueryToken:
    kind: str
    text: str


def tokens(query: str) -> Sequence[QueryToken]:
    found: list[QueryToken] = []
    position = 0
    while position < len(query):
        match = _TOKEN.match(query, position)
        if match is None or match.lastgroup is None:
            raise QuerySyntaxError(query)
        if match.lastgroup != "space":
            found.append(QueryToken(_kind(match.lastgroup, match.group()), match.group()))
        position = match.end()
    return found


def parse(query: str) -> Node:
    """Return the tree of the query. Raises QuerySyntaxError."""
    return _Parser(query).parse()


def _kind(group: str, text: str) -> str:
    return text if group == "word" and text in {"AND", "OR", "NOT"} else group


class _Parser:
    def __init__(self, query: str) -> None:
        self._query = query
        self._tokens = tokens(query)
        self._next = 0
        self._depth = 0

    def parse(self) -> Node:
        node = self._or()
        if self._next < len(self._tokens):
            raise QuerySyntaxError(self._query)
        return node

    def _or(self) -> Node:
        parts = [self._and()]
        while self._accept("OR"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self) -> Node:
        parts = [self._unary()]
        while self._accept("AND"):
            parts.append(self._unary())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _unary(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QuerySyntaxError(self._query)
        negated = self._accept("minus") or self._accept("NOT")
        node = Not(self._unary()) if negated else self._primary()
        self._depth -= 1
        return node

    def _primary(self) -> Node:
        if self._accept("open"):
            return self._closed(self._or())
        if self._accept("periode"):
            self._expect("open")
            return PeriodeNode(self._closed(self._or()))
        field = self._expect("field").text[:-1]
        if self._accept("open"):
            terms: list[Node] = [self._value(field)]
            while self._accept("OR"):
                terms.append(self._value(field))
            return self._closed(Or(tuple(terms)))
        return self._value(field)

    def _value(self, field: str) -> Term:
        if token := self._accept("quoted"):
            return Term(field, Word(_unescaped(token.text[1:-1]), quoted=True))
        if token := self._accept("range"):
            return Term(field, self._range(token.text))
        # A value such as -1 begins with what would otherwise be a negation.
        sign = "-" if self._accept("minus") else ""
        return Term(field, _word(sign + self._expect("word").text))

    def _range(self, text: str) -> Range:
        bounds = _BOUNDS.fullmatch(text[1:-1])
        if bounds is None:
            raise QuerySyntaxError(self._query)
        low, high = (None if end == "*" else end.strip('"') for end in bounds.groups())
        return Range(low, high, with_low=text[0] == "[", with_high=text[-1] == "]")

    def _closed(self, node: Node) -> Node:
        self._expect("close")
        return node

    def _accept(self, kind: str) -> QueryToken | None:
        if self._next < len(self._tokens) and self._tokens[self._next].kind == kind:
            self._next += 1
            return self._tokens[self._next - 1]
        return None

    def _expect(self, kind: str) -> QueryToken:
        token = self._accept(kind)
        if token is None:
            raise QuerySyntaxError(self._query)
        return token


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _word(text: str) -> Word:
    plain: list[str] = []
    wild: set[int] = set()
    escaped = False
    for sign in text:
        if sign == "\\" and not escaped:
            escaped = True
            continue
        if sign in "*?" and not escaped:
            wild.add(len(plain))
        plain.append(sign)
        escaped = False
    return Word("".join(plain), wild=frozenset(wild))
