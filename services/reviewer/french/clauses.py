"""A clause says in plain words what an activity comprises, as it follows from its label alone."""

import functools
from collections.abc import Mapping
from types import MappingProxyType

from services.reviewer.french.data import read_lines
from services.reviewer.french.folding import fold
from services.reviewer.french.labels import clean_name, readable_activite
from shared.sirene.facts import Facts
from shared.sirene.reference import libelles_de


def clause(facts: Facts) -> str | None:
    """Return « la mise à bail de logements » for "Location de logements"; None where none is known.

    It is a noun group with its article, for a place after « désigne » or « autrement dit ».
    """
    return None if facts.activite is None else _by_label().get(_key(facts.activite))


@functools.cache
def clauses() -> Mapping[str, str]:
    """Return the clauses by code, of NAF rev. 2 or NAF 2025."""
    rows = (line.split("|") for line in read_lines("clauses.txt"))
    return MappingProxyType({code: words for codes, words in rows for code in codes.split()})


@functools.cache
def _by_label() -> Mapping[str, str]:
    """Return the clauses by label: facts hold no code, and equal labels mean equal activities."""
    labels = {**libelles_de("NAFRev2"), **libelles_de("NAF2025")}
    return MappingProxyType({_key(labels[code]): words for code, words in clauses().items()})


@functools.lru_cache(maxsize=4096)
def _key(label: str) -> str:
    return fold(readable_activite(clean_name(label)))
