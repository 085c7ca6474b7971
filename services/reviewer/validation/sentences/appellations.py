"""The nouns that a name begins with and by which a text may take it up: « le collège »."""

import functools
import re

from services.reviewer.french.data import read_lines
from services.reviewer.french.folding import fold

_WORD = re.compile(r"[^\W\d_]+")


@functools.lru_cache(maxsize=4096)
def appellations(nom: str) -> frozenset[str]:
    """Return the first noun of the name, as French spells it: COLLEGE JEAN MOULIN is a collège."""
    words = [fold(word) for word in _WORD.findall(nom)[:2]]
    if words and words[0] in {"l", "la", "le", "les"}:
        words = words[1:]
    noun = _nouns().get(words[0]) if words else None
    return frozenset() if noun is None else frozenset({noun})


@functools.cache
def _nouns() -> dict[str, str]:
    return {fold(noun): noun for line in read_lines("appellations.txt") for noun in line.split()}
