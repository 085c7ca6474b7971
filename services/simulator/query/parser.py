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
from collections.abc import Callable, Iterator

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


def parse(query: str) -> Node:
    """Return the tree of the query. Raises QuerySyntaxError."""
    return _Parser(query).parse()


class _Parser:
    def __init__(self, query: str) -> None:
        self._query = query
        self._tokens = list(self._split())
        self._next = 0
        self._depth = 0

    def _split(self) -> Iterator[tuple[str, str]]:
        """Yield the kind and the text of each token."""
        position = 0
        while position < len(self._query):
            match = _TOKEN.match(self._query, position)
            if match is None:
                raise QuerySyntaxError(self._query)
            kind, text = str(match.lastgroup), match.group()
            if kind != "space":
                yield (text if kind == "word" and text in {"AND", "OR", "NOT"} else kind), text
            position = match.end()

    def parse(self) -> Node:
        node = self._or()
        if self._next < len(self._tokens):
            raise QuerySyntaxError(self._query)
        return node

    def _or(self) -> Node:
        return self._joined("OR", Or, self._and)

    def _and(self) -> Node:
        return self._joined("AND", And, self._unary)

    def _joined(self, word: str, kind: type[And | Or], part: Callable[[], Node]) -> Node:
        parts = [part()]
        while self._accept(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else kind(tuple(parts))

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
        field = self._expect("field")[:-1]
        if self._accept("open"):
            terms: list[Node] = [self._value(field)]
            while self._accept("OR"):
                terms.append(self._value(field))
            return self._closed(Or(tuple(terms)))
        return self._value(field)

    def _value(self, field: str) -> Term:
        if quoted := self._accept("quoted"):
            return Term(field, Word(re.sub(r"\\(.)", r"\1", quoted[1:-1], flags=re.DOTALL)))
        if span := self._accept("range"):
            return Term(field, self._range(span))
        # A value such as -1 begins with what would otherwise be a negation.
        sign = "-" if self._accept("minus") else ""
        return Term(field, _word(sign + self._expect("word")))

    def _range(self, text: str) -> Range:
        bounds = _BOUNDS.fullmatch(text[1:-1])
        if bounds is None:
            raise QuerySyntaxError(self._query)
        low, high = (None if end == "*" else end.strip('"') for end in bounds.groups())
        return Range(low, high, with_low=text[0] == "[", with_high=text[-1] == "]")

    def _closed(self, node: Node) -> Node:
        self._expect("close")
        return node

    def _accept(self, kind: str) -> str | None:
        """Pass the next token and return its text if it is of this kind."""
        if self._next < len(self._tokens) and self._tokens[self._next][0] == kind:
            self._next += 1
            return self._tokens[self._next - 1][1]
        return None

    def _expect(self, kind: str) -> str:
        text = self._accept(kind)
        if text is None:
            raise QuerySyntaxError(self._query)
        return text


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
