"""Values that slip to the wrong owner, though a grammar reads each of their words.

« L'établissement dépend de la société X, qui emploie 3 salariés » tells the establishment's
headcount of the company: a relative, and a participle in the feminine, speak of the noun before.
"""

from collections.abc import Sequence
from itertools import takewhile

from services.reviewer.validation.sentences.tokens import Mark

_HERE = frozenset({"<annee>", "<date>", "<mois>", "<min>"})
_NUMBER = frozenset({"<nombre>"})
_UNIT = frozenset({"<nom>", "<unite>", "<sorte>", "<forme>"})
_FORMS = frozenset({"<sorte>", "<forme>"})
_UNIT_WORDS = frozenset("société entreprise association structure coopérative".split())  # noqa: SIM905 a word list
_ESTABLISHMENT = frozenset({"<etab>", "<tete>", "<metier>", "<appellation>", "<enseigne>"})
_MASCULINE = frozenset("établissement site siège".split())  # noqa: SIM905 a word list
_FEMININE = frozenset(
    ["implantation", "boutique", "agence", "adresse", "celle", "elle", "création", "inscription"]
)
_CREATED = frozenset("créée immatriculée fondée constituée née".split())  # noqa: SIM905 a word list
_CREATED_HERE = frozenset("créé inscrit enregistré immatriculé".split())  # noqa: SIM905 a word list
_DATES_OF_UNIT = frozenset({"<annee_unite>", "<date_unite>", "<mois_unite>"})
_CLASSED = frozenset({"classé", "rangé"})
_PLACES = frozenset({"<commune>", "<a_commune>", "<voie>"})
_PREPOSITIONS = frozenset("à au aux dans en sur".split())  # noqa: SIM905 a word list
_RELATIVES = frozenset({"qui", "dont", "laquelle"})
_ENDS = frozenset({";", "."})
_NEAR = 4
"""Tokens from a participle to its date: « créée à Gien, en 2018 »."""


def slips(tokens: Sequence[Mark]) -> bool:
    """Return whether a date, a headcount or a form is told of the other owner."""
    words = [token.text.lower() for token in tokens]
    return _frame_slips(tokens, words) or any(
        _relative_slips(tokens, words, place)
        or _participle_slips(tokens, words, place)
        or _siege_slips(tokens, words, place)
        or _apposition_slips(tokens, words, place)
        for place in range(1, len(tokens))
    )


def _is_only_here(token: Mark) -> bool:
    """Return whether a value is the establishment's and no other fact's."""
    told = {symbol for symbol in token.symbols if symbol[0] == "<"} - _NUMBER
    return bool(told) and told <= _HERE


def _frame_slips(tokens: Sequence[Mark], words: Sequence[str]) -> bool:
    """Return whether a place before the first comma is told of all who work for the unit."""
    comma = words.index(",") if "," in words else 0
    frame = tokens[:comma]
    begins = comma > 0 and (words[0] in _PREPOSITIONS or not _PLACES.isdisjoint(tokens[0].symbols))
    if not begins or not any(_PLACES & token.symbols for token in frame):
        return False
    end = words.index(";") if ";" in words else len(words)
    clause = tokens[comma:end]
    if any(map(_is_establishment, tokens[:end], words)):
        return False
    return any("<min_unite>" in one.symbols and "<min>" not in one.symbols for one in clause)


def _is_only_of_unit(token: Mark) -> bool:
    told = {symbol for symbol in token.symbols if symbol[0] == "<"} - _NUMBER
    return bool(told) and told <= _DATES_OF_UNIT


def _is_of_unit(token: Mark, word: str) -> bool:
    return word in _UNIT_WORDS or not _UNIT.isdisjoint(token.symbols)


def _is_establishment(token: Mark, word: str) -> bool:
    return word in _MASCULINE | _FEMININE or not _ESTABLISHMENT.isdisjoint(token.symbols)


def _relative_slips(tokens: Sequence[Mark], words: Sequence[str], place: int) -> bool:
    """Return whether « la société X, qui … » is told what is the establishment's alone."""
    if words[place] not in _RELATIVES:
        return False
    before = place - 1 - (words[place - 1] == ",")
    if before < 0 or not _is_of_unit(tokens[before], words[before]):
        return False
    # The subject decides: the establishment itself may have the company's name.
    if not any(word in _MASCULINE for word in words[:before]):
        return False
    clause = takewhile(
        lambda at: words[at] not in _ENDS and not _is_establishment(tokens[at], words[at]),
        range(place + 1, len(tokens)),
    )
    return any(_is_only_here(tokens[at]) for at in clause)


def _participle_slips(tokens: Sequence[Mark], words: Sequence[str], place: int) -> bool:
    """Return whether what is created, in the feminine, has the date of a masculine place."""
    if words[place] not in _CREATED:
        return False
    if any(
        word in _FEMININE or not _ESTABLISHMENT.isdisjoint(token.symbols)
        for token, word in zip(tokens[:place], words, strict=False)
    ):
        return False
    return any(map(_is_only_here, tokens[place + 1 : place + 1 + _NEAR]))


def _siege_slips(tokens: Sequence[Mark], words: Sequence[str], place: int) -> bool:
    """Return whether the unit's date is told of the place: « son siège, créé en 1987 »."""
    before = place - 1 - (words[place - 1] == ",")
    if words[place] not in _CREATED_HERE or before < 0 or words[before] not in _MASCULINE:
        return False
    return any(map(_is_only_of_unit, tokens[place + 1 : place + 1 + _NEAR]))


def _apposition_slips(tokens: Sequence[Mark], words: Sequence[str], place: int) -> bool:
    """Return whether a form or a category stands beside a bare « l'établissement »."""
    if words[place] != "," or words[place - 1] not in _MASCULINE or place + 2 > len(tokens):
        return False
    after = place + 1 + (words[place + 1] in {"un", "une"})
    if after >= len(tokens):
        return False
    is_class = words[after] in _CLASSED and "entreprises" in words[after : after + _NEAR + 1]
    return is_class or not _FORMS.isdisjoint(tokens[after].symbols)
