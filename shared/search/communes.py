"""Communes by the words of their names, those of Paris, Lyon and Marseille by arrondissement. Pure.

A name that several communes bear stands for all of them.
"""

import functools
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shared.search.words import STOP_WORDS, words_of
from shared.sirene.reference import arrondissements_of, communes

_LONGEST_NAME = 7
# A name of more communes tells less than the words themselves.
_MOST_CODES = 60
_ARRONDISSEMENT = re.compile(r"(.+) ([0-9]+)(?:er|e|eme)? arrondissement")


class NamedCommune(NamedTuple):
    """The words from `first` up to `end` name these communes.

    `codes` are those that establishments have; `told` those that name the communes best.
    """

    first: int
    end: int
    codes: Sequence[str]
    told: Sequence[str]


def find_commune(words: Sequence[str]) -> NamedCommune | None:
    """Return the longest run of words that names a commune, of several the last one."""
    by_words = _by_words()
    for length in range(min(len(words), _LONGEST_NAME), 0, -1):
        for first in range(len(words) - length, -1, -1):
            told = by_words.get(tuple(words[first : first + length]))
            if told is None:
                continue
            codes = [each for code in told for each in (code, *arrondissements_of(code))]
            if len(codes) <= _MOST_CODES:
                return NamedCommune(first, first + length, codes, told)
    return None


@functools.cache
def _by_words() -> Mapping[tuple[str, ...], Sequence[str]]:
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for code, commune in communes().items():
        name = words_of(commune.nom.partition(" (")[0])
        arrondissement = _ARRONDISSEMENT.fullmatch(" ".join(name))
        if arrondissement is not None:
            city, number = arrondissement.groups()
            names = {(*city.split(), f"{number}{end}") for end in ("", "e", "er", "eme")}
        else:
            names = {tuple(name), tuple(word for word in name if word not in STOP_WORDS)}
        for words in names - {()}:
            found[words].append(code)
    return found
