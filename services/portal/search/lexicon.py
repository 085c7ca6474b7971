"""The lexicon of the index: which words are known, and which known ones are near an unknown one."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from rapidfuzz.distance import OSA

from services.portal.search.asked import AskedWord
from shared.search.words import edits_allowed, variants

SHORT_BEGINNINGS = range(2, 5)
"""The letters of a beginning whose words are kept: an index would read too many."""

_MOST_NEAR = 12
_MOST_PAIRS = 3
_SHORTEST_HALF = 3
_OTHER_BEGINNING = 0.5
_PAIR_DISTANCE = 0.5

_KNOWN = "SELECT lexeme, documents FROM search_lexemes WHERE lexeme = ANY(%s)"
_NEAR = "SELECT lexeme, documents FROM search_lexemes WHERE variants && CAST(%s AS int[])"
_BEGINNING = "SELECT unnest(lexemes) FROM search_prefixes WHERE prefix = %s"


class Ask(Protocol):
    """Runs a statement with %s in every shard, and returns the rows of all."""

    def __call__(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]: ...


def known(ask: Ask, words: Iterable[str]) -> dict[str, int]:
    """Return those of the words that some entry has, with the number of entries."""
    return _added(ask(_KNOWN, (sorted(set(words)),)))


def find_near(ask: Ask, words: Sequence[AskedWord]) -> None:
    """Give the words the lexemes that may be meant: with an edit or two, or two words in one."""
    hashes = sorted({each for word in words for each in variants(word.text)})
    lexemes = _added(ask(_NEAR, (hashes,)))
    for word in words:
        found = sorted(_near(word.text, lexemes))
        word.near.update(
            {lexeme: (distance, -less) for distance, less, lexeme in found[:_MOST_NEAR]}
        )
    unknown = [word for word in words if not word.documents]
    halves = {half for word in unknown for pair in _split(word.text) for half in pair}
    if halves:
        parts = known(ask, halves)
        for word in unknown:
            pairs = [
                (min(parts[first], parts[last]), f"{first} {last}")
                for first, last in _split(word.text)
                if first in parts and last in parts
            ]
            for documents, pair in sorted(pairs, reverse=True)[:_MOST_PAIRS]:
                word.near[pair] = (_PAIR_DISTANCE, documents)


def words_beginning(ask: Ask, letters: str) -> list[str]:
    """Return the most frequent words that begin with these two to four letters."""
    return list(dict.fromkeys(row[0] for row in ask(_BEGINNING, (letters,))))


def _near(text: str, lexemes: dict[str, int]) -> Iterator[tuple[float, int, str]]:
    """Yield distance, number of entries with a minus, and lexeme: the best is the least."""
    most = edits_allowed(text)
    for lexeme, documents in lexemes.items():
        if lexeme == text or abs(len(lexeme) - len(text)) > most or lexeme[:1].isdigit():
            continue
        distance: float = OSA.distance(text, lexeme, score_cutoff=most)
        if distance <= most:
            if lexeme[0] != text[0]:
                distance += _OTHER_BEGINNING
            yield distance, -documents, lexeme


def _split(text: str) -> Iterator[tuple[str, str]]:
    for at in range(_SHORTEST_HALF, len(text) - _SHORTEST_HALF + 1):
        yield text[:at], text[at:]


def _added(rows: Iterable[tuple[Any, ...]]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for lexeme, documents in rows:
        numbers[lexeme] = numbers.get(lexeme, 0) + documents
    return numbers
