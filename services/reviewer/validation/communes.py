"""Communes that a French text names."""

import functools
import re
from collections.abc import Iterator
from itertools import pairwise

from services.reviewer.french.folding import Token, tokenise
from shared.sirene.names.folded_names import FoldedNames
from shared.sirene.reference import noms_de_communes

_LONGEST_COMMUNE_WORDS = 8
_LOCATIVE = frozenset("a au aux de d du des dans sur commune ville pres vers".split())  # noqa: SIM905 a word list
_ARRONDISSEMENT = re.compile(r"\b(\d{1,2})(?:er?|eme) arrondissement")


def arrondissements(folded: str) -> list[str]:
    """Return the numbers of the arrondissements, in digits."""
    return _ARRONDISSEMENT.findall(folded)


def mentions(rest: str, words: tuple[Token, ...]) -> Iterator[str]:
    """Yield names of communes in capitalised words; a single word needs a word of place before."""
    for index, word in enumerate(words):
        if not word.capitalised:
            continue
        previous = words[index - 1] if index > 0 else None
        located = (
            previous is not None
            and previous.folded in _LOCATIVE
            and rest[previous.end : word.start].strip("'’ \u00a0\u202f") == ""
        )
        for length in range(min(_LONGEST_COMMUNE_WORDS, len(words) - index), 0, -1):
            run = words[index : index + length]
            if not _adjoin(rest, run):
                continue
            if (located or length > 1) and _is_commune(run, previous if located else None):
                yield " ".join(token.original for token in run)
                break


def _adjoin(text: str, run: tuple[Token, ...]) -> bool:
    return all(
        text[left.end : right.start] in {"-", "'", "’", " ", "\u00a0"}
        for left, right in pairwise(run)
    )


def _is_commune(run: tuple[Token, ...], preposition: Token | None) -> bool:
    name = " ".join(token.folded for token in run)
    if name in _commune_names():
        return True
    match preposition.folded if preposition is not None else "":
        case "au" | "du":
            return f"le {name}" in _commune_names()
        case "aux" | "des":
            return f"les {name}" in _commune_names()
        case _:
            return False


@functools.cache
def _commune_names() -> FoldedNames:
    return FoldedNames(noms_de_communes(), _folded)


def _folded(nom: str) -> str:
    return " ".join(token.folded for token in tokenise(nom))
