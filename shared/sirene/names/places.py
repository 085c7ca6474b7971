"""The communes and départements inside a name, in the spelling of the COG. Pure."""

import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shared.sirene.names.folded_names import FoldedNames
from shared.sirene.names.lexicon import chosen, fold, is_common, words_key
from shared.sirene.reference import communes, departements, noms_de_communes

_ADMINISTRATIONS = frozenset(
    [
        "COMMUNE",
        "MAIRIE",
        "VILLE",
        "CCAS",
        "CIAS",
    ]
)
# After these a common word is no commune: Société communale de chasse.
_ADJECTIVES = frozenset(["MUNICIPALE", "COMMUNAL", "COMMUNALE", "DELEGUEE", "ASSOCIEE", "NOUVELLE"])
_OF = frozenset(["DE", "D", "A", "EN", "SUR"])
_CONTRACTIONS = {"DU": "LE", "AU": "LE", "DES": "LES", "AUX": "LES"}
_ARTICLES = frozenset({"LE", "LA", "LES", "L"})
_WHOLE = {"STE": "SAINTE", "ST": "SAINT"}
_SAINTS = frozenset({"SAINT", "SAINTE"})
_LOCATORS = frozenset({"SUR", "SOUS", "EN", "LES"})
_LONGEST = 12
_LONG_NAME = 4
_SHORT_NAME = 5


class Place(NamedTuple):
    """A place that takes up `words` words of the name, from where it was looked for."""

    spelling: str
    words: int


@functools.cache
def _communes() -> FoldedNames:
    return FoldedNames(noms_de_communes(), words_key)


@functools.cache
def _areas() -> Mapping[str, str]:
    """Return expressions and départements; a short name of one word might be another word."""
    found = dict(chosen("expressions"))
    for departement in departements().values():
        key = words_key(departement.nom)
        if " " in key or len(key) > _SHORT_NAME:
            found.setdefault(key, departement.nom)
    return found


def place_at(words: Sequence[str], start: int, code_commune: str | None) -> Place | None:
    """Return the longest place that begins with this word; `words` are folded."""
    own = communes().get(code_commune or "")
    own_name = "" if own is None else own.nom
    for end in range(min(len(words), start + _LONGEST), start, -1):
        key = " ".join([_WHOLE.get(word, word) for word in words[start:end]])
        spelling = _commune(words, start, key, own_name) or _areas().get(key)
        if spelling is None and words[start] in _CONTRACTIONS and end > start + 1:
            spelling = _contracted(words, start, end, own_name)
        if spelling is not None:
            return Place(spelling, end - start)
    return None


def _contracted(words: Sequence[str], start: int, end: int, own_name: str) -> str | None:
    """Return « du Havre » for the commune Le Havre."""
    article = _CONTRACTIONS[words[start]]
    rest = [article, *words[start + 1 : end]]
    is_seat = start > 0 and words[start - 1] in _ADMINISTRATIONS | _ADJECTIVES
    found = _spelling(" ".join(rest), own_name)
    if found is None or not (is_seat or found == own_name or len(rest) >= _LONG_NAME):
        return None
    return f"{words[start].lower()} {found[len(article) + 1 :]}"


def _commune(words: Sequence[str], start: int, key: str, own_name: str) -> str | None:
    found = _spelling(key, own_name) or _saint(key)
    if found is None:
        return None
    of = start > 0 and words[start - 1] in _OF
    before = words[start - 2] if of and start > 1 else ""
    is_seat = before in _ADMINISTRATIONS or (before in _ADJECTIVES and not is_common(key))
    if is_seat or (found == own_name and len(key) >= _LONG_NAME):
        return found
    parts = key.split(" ")
    if len(parts) == 1 or (parts[0] not in _SAINTS and _is_plain(parts)):
        return None
    if len(parts) >= _LONG_NAME or parts[0] in _SAINTS or (of and parts[0] not in _ARTICLES):
        return found
    return None


def _is_plain(parts: Sequence[str]) -> bool:
    """Return whether these may be no more than words: La Fontaine Saint-Martin, Bois le Roi."""
    return _LOCATORS.isdisjoint(parts) and all(
        part in chosen("petits") or part in _SAINTS or part in chosen("prenoms") or is_common(part)
        for part in parts
    )


def _saint(key: str) -> str | None:
    title, _, name = key.partition(" ")
    prenom = chosen("prenoms").get(name)
    return f"{title.capitalize()}-{prenom}" if title in _SAINTS and prenom else None


def _spelling(key: str, own_name: str) -> str | None:
    """Return the establishment's own commune first, then what all, or those of today, share."""
    found = list(_communes().of(key))
    if own_name in found:
        return own_name
    return _merged(found) or _merged([nom for nom in found if nom in _of_today()])


def _merged(spellings: Sequence[str]) -> str | None:
    """Return what the spellings share; None where they differ by more than accents."""
    if not spellings or len({len(nom) for nom in spellings}) > 1:
        return None
    letters = [set(same) for same in zip(*spellings, strict=True)]
    plain = [same if len(same) == 1 else {_bare(letter) for letter in same} for same in letters]
    return "".join(map("".join, plain)) if all(len(same) == 1 for same in plain) else None


@functools.cache
def _of_today() -> FoldedNames:
    return FoldedNames({commune.nom for commune in communes().values()}, str)


def _bare(letter: str) -> str:
    bare = fold(letter) or letter
    return bare if letter.isupper() else bare.lower()


def commune_of_one_word(word: str) -> str | None:
    """Return the spelling of a commune whose name is this word and is not short."""
    return _spelling(fold(word), "") if len(word) >= _SHORT_NAME else None


def begins_a_place(words: Sequence[str], start: int, code_commune: str | None) -> bool:
    """Return whether `l'` and `d'` stand before the place that begins here: vowel or h."""
    place = place_at(words, start, code_commune)
    name = commune_of_one_word(words[start]) if place is None else place.spelling
    return name is not None and fold(name)[0] in "AEIOUYH"
