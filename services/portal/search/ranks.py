"""The order of candidates: how much of the question each answers. Pure."""

import datetime as dt
import functools
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.portal.search.asked import AskedWord
from shared.search.entries import BETWEEN_NAMES
from shared.search.words import FORMS, STOP_WORDS, words_of

_OTHER_NAME, _PLACE, _BEGINNING, _PAIR = 0.9, 0.95, 0.95, 0.9
_ONE_EDIT, _MORE_EDITS, _LEAST = 0.8, 0.2, 0.3
# A large establishment of the activity still comes after a small one that is named so.
_ACTIVITY = 0.7
_UNSAID, _RANK = 0.15, 0.01
# The guess is that one entry of a hundred has an activity that no name tells.
_ENTRIES_PER_ACTIVITY = 100


class Candidate(NamedTuple):
    """A row that a search by words looks at."""

    id: int
    siret: str
    nom: str | None
    names: str | None
    libelle_commune: str | None
    code_postal: str | None
    activite_principale: str
    rank: int
    date_creation: dt.date
    distance: float | None


CANDIDATE_COLUMNS = ", ".join(("pro_localisation_id", *Candidate._fields[1:-1]))


class Ranked(NamedTuple):
    """A candidate with its score, and the words that it has in place of those that were typed."""

    score: float
    candidate: Candidate
    corrected: dict[str, str]


def ranked(words: Sequence[AskedWord], candidates: Iterable[Candidate], total: int) -> list[Ranked]:
    """Return the candidates, the best first; `total` is the number of all entries."""
    weights = [_weight(word, total) for word in words]
    scored = [_scored(words, weights, candidate) for candidate in candidates]
    return sorted(scored, key=lambda each: (-each.score, -each.candidate.id))


def _weight(word: AskedWord, total: int) -> float:
    """Return how much a word tells: the fewer entries have it, the more."""
    unnamed = total // _ENTRIES_PER_ACTIVITY if word.activites else 1
    nearest = min((documents for _, documents in word.near.values()), default=unnamed)
    return math.log(1 + max(total, 1) / (1 + (word.documents or nearest)))


class _Match(NamedTuple):
    score: float
    lexeme: str


_NO_MATCH = _Match(0.0, "")


def _scored(words: Sequence[AskedWord], weights: Sequence[float], row: Candidate) -> Ranked:
    name = words_of(row.nom or "")
    others = [word for each in (row.names or "").split(BETWEEN_NAMES) for word in words_of(each)]
    place = _words_of_place(row.libelle_commune or "", row.code_postal or "")
    got, used, corrected = 0.0, set(), {}
    for word, weight in zip(words, weights, strict=True):
        found: list[tuple[Sequence[str], float]] = [(name, 1.0), (others, _OTHER_NAME)]
        if not word.in_names:
            found.append((place, _PLACE))
        match = max(
            (_match(word, lexemes, factor) for lexemes, factor in found),
            key=lambda each: each.score,
            default=_NO_MATCH,
        )
        if row.activite_principale in word.activites and match.score < _ACTIVITY:
            match = _Match(_ACTIVITY, "")
        got += match.score * weight
        used.update(match.lexeme.split())
        if match.lexeme and match.lexeme != word.text and not word.is_prefix:
            corrected[word.text] = match.lexeme
    said = [word for word in name if word not in STOP_WORDS and word not in FORMS] or name
    unsaid = sum(word not in used for word in said) / max(len(said), 1)
    whole = sum(weights) or 1.0
    return Ranked(got / whole - _UNSAID * unsaid + _RANK * row.rank, row, corrected)


@functools.lru_cache(maxsize=4_096)
def _words_of_place(commune: str, code_postal: str) -> Sequence[str]:
    return (*words_of(commune), *words_of(code_postal))


def _match(word: AskedWord, lexemes: Sequence[str], factor: float) -> _Match:
    if word.text in lexemes:
        return _Match(factor, word.text)
    best = _NO_MATCH
    if not word.is_prefix and not word.near:
        return best
    for lexeme in lexemes:
        if word.is_prefix and lexeme.startswith(word.text):
            score = _BEGINNING
        elif lexeme in word.near:
            score = max(_ONE_EDIT - _MORE_EDITS * (word.near[lexeme][0] - 1), _LEAST)
        else:
            continue
        if score * factor > best.score:
            best = _Match(score * factor, lexeme)
    present = set(lexemes)
    for pair in word.near:
        if " " in pair and present.issuperset(pair.split()) and _PAIR * factor > best.score:
            best = _Match(_PAIR * factor, pair)
    return best
