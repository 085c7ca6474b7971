"""French texts made comparable: without accents, case, ligatures and kinds of apostrophe."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

_PUNCTUATION = {"’": "'", "‘": "'", "ʼ": "'", "`": "'", "–": "-", "—": "-", "‑": "-", "−": "-"}
_LETTERS = {"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l"}
_SHORTEST_PLURAL = 4
_TOKEN = re.compile(r"[^\W_]+")


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    if character.isspace():
        return " "
    folded = []
    for part in unicodedata.normalize("NFKD", character):
        if unicodedata.combining(part):
            continue
        lower = part.lower()
        folded.append(_LETTERS.get(lower, _PUNCTUATION.get(lower, lower)))
    return "".join(folded)


@dataclass(frozen=True, slots=True)
class Folded:
    """`origins[i]` is the index in the original text of the folded text's character i."""

    text: str
    origins: tuple[int, ...]


def fold_with_origins(text: str) -> Folded:
    letters = [_letters[ord(character)] for character in text]
    plain = "".join(letters)
    if set(map(len, letters)) <= {1} and not plain.startswith(" ") and "  " not in plain:
        return Folded(plain, tuple(range(len(plain))))
    characters: list[str] = []
    origins: list[int] = []
    for index, character in enumerate(text):
        for folded in _fold_character(character):
            if folded == " " and (not characters or characters[-1] == " "):
                continue
            characters.append(folded)
            origins.append(index)
    return Folded("".join(characters), tuple(origins))


class _Letters(dict[int, str]):
    """The folded letters by code point, each computed at its first use."""

    def __missing__(self, point: int) -> str:
        folded = self[point] = _fold_character(chr(point))
        return folded


_letters = _Letters()


def fold(text: str) -> str:
    return _fold_few(text) if len(text) <= _FEW_LETTERS else _fold(text)


def _fold(text: str) -> str:
    return " ".join(text.translate(_letters).split())


_FEW_LETTERS = 32
"""Names of months, forms and words come again in each text."""
_fold_few = lru_cache(maxsize=8192)(_fold)


@dataclass(frozen=True, slots=True)
class Token:
    """A word or number; `start` and `end` are positions in the text given to `tokenise`."""

    original: str
    folded: str
    start: int
    end: int

    @property
    def capitalised(self) -> bool:
        return self.original[0].isupper()


MOST_WORDS = 100
"""The most words of an avis, as `tokenise` counts them: a long name or activity makes none long."""


def tokenise(text: str) -> list[Token]:
    return [
        Token(word := match.group(), fold(word), *match.span()) for match in _TOKEN.finditer(text)
    ]


def runs(words: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    """Yield each run of `length` neighbouring words."""
    return zip(*(words[shift:] for shift in range(length)), strict=False)


def stem(folded_word: str) -> str:
    """Return the folded word without its plural ending: "conseil" stays apart from "conseiller"."""
    if len(folded_word) > len("eaux") and folded_word.endswith("eaux"):
        return folded_word[:-1]
    if len(folded_word) >= _SHORTEST_PLURAL and folded_word[-1] in "sx":
        return folded_word[:-1]
    return folded_word
