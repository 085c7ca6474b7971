"""The needs of a grammar's parts: where a sentence lacks one, the part is not tried.

A need is a set of symbols one of which must come at the part's beginning or later, or a condition
that must hold. Needs are the bits of a number, so that many are looked at in one step.
"""

from collections.abc import Iterable, Mapping

from services.reviewer.validation.sentences.notation import Node

Need = frozenset[str]

_MOST_SYMBOLS = 60
"""A need that more symbols meet is hardly ever lacking."""
_MOST_NEEDS = 4
"""The needs of a part that are looked at: conditions, then those that the fewest symbols meet."""
_ROUNDS = 8
"""Rounds in which the needs of rules reach the rules that call them; needs of each are true."""
_COMMON = frozenset(
    """, . et de d' du des la le l' les un une à au est a en par <nom> <commune> …""".split()  # noqa: SIM905 a word list
)
_NO_NEEDS: frozenset[Need] = frozenset()


class Needs:
    def __init__(self, rules: Mapping[str, Node]) -> None:
        self._of_rules = dict.fromkeys(rules, _NO_NEEDS)
        self._of_parts: dict[int, frozenset[Need]] = {}
        for _ in range(_ROUNDS):
            self._of_parts = {}
            found = {name: self._of(node) for name, node in rules.items()}
            if found == self._of_rules:
                break
            self._of_rules = found
        self._places: dict[Need, int] = {}
        self._met_by: dict[str, int] = {}
        self._denied: frozenset[str] = frozenset()
        self._all = 0

    def mask(self, node: Node) -> int:
        """Return the needs of a part as bits."""
        found = 0
        for need in self._of(node):
            place = self._places.setdefault(need, len(self._places))
            found |= 1 << place
        return found

    def finish(self) -> None:
        """Forget what only the making of a grammar needed."""
        for need, place in self._places.items():
            for symbol in need:
                self._met_by[symbol] = self._met_by.get(symbol, 0) | 1 << place
        self._all = (1 << len(self._places)) - 1
        self._denied = frozenset(one[2:] for one in self._met_by if one.startswith("?!"))
        self._of_rules, self._of_parts, self._places = {}, {}, {}

    def lacking(self, symbols: Iterable[Need], flags: frozenset[str]) -> list[int]:
        """Return the needs that are lacking at each place, and after the last."""
        met_by = self._met_by
        met = 0
        for flag in flags:
            met |= met_by.get(f"?{flag}", 0)
        for flag in self._denied - flags:
            met |= met_by[f"?!{flag}"]
        found = [self._all & ~met]
        for token in reversed(tuple(symbols)):
            for symbol in token:
                met |= met_by.get(symbol, 0)
            found.append(self._all & ~met)
        found.reverse()
        return found

    def _of(self, node: Node) -> frozenset[Need]:
        # Equal parts are one, and kept as long as their rules.
        found = self._of_parts.get(id(node))
        if found is None:
            found = self._of_parts[id(node)] = self._needs(node)
        return found

    def _needs(self, node: Node) -> frozenset[Need]:
        match node.kind:
            case "words":
                words = node.words
                return frozenset((words,)) if _tells_apart(words) else _NO_NEEDS
            case "flag":
                return frozenset((frozenset((f"?{node.value}",)),))
            case "rule":
                return self._of_rules[node.value]
            case "row":
                every = frozenset[Need]().union(*map(self._of, node.parts))
                return frozenset(sorted(every, key=_rank)[:_MOST_NEEDS])
            case "choice":
                return self._of_choice(node)
        return _NO_NEEDS

    def _of_choice(self, node: Node) -> frozenset[Need]:
        """Return one need, which any symbol meets that a need of an alternative has."""
        joined = frozenset[str]()
        for part in node.parts:
            needs = self._of(part)
            if not needs:
                return _NO_NEEDS
            rarest: Need = min(needs, key=_rank)
            joined |= rarest
            if len(joined) > _MOST_SYMBOLS:
                return _NO_NEEDS
        return frozenset((joined,)) if joined else _NO_NEEDS


def _tells_apart(words: Need) -> bool:
    return len(words) <= _MOST_SYMBOLS and words.isdisjoint(_COMMON)


def _rank(need: Need) -> tuple[int, str]:
    return len(need), min(need)
