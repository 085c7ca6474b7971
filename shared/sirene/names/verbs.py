"""The present of a verb, where the word before it tells that one follows. Pure."""

import re
from collections.abc import Sequence

from shared.sirene.names.lexicon import chosen, french, is_common

_SUBJECTS = frozenset({"QUI", "ON", "IL", "JE", "TU", "SE"})
# After these a verb may follow, or something else: Elle Coiffure, café ou pâtisserie.
_PERHAPS = frozenset({"QUE", "OU", "ELLE", "ILS", "ELLES", "CA", "CELA"})
_PRONOUNS = frozenset(
    "LE LA LES L ME M TE T SE S NE N NOUS VOUS LUI LEUR Y EN".split()  # noqa: SIM905 a word list
)
_VOWELS = frozenset("AEIOUYH")
# « répéter » gives « répète », « lever » gives « lève », « fermer » gives « ferme ».
_CLOSED = re.compile(r"é(?=[^aeiouyéèêâîôûï]+e$)|e(?=[^aeiouyéèêâîôûï]e$)")
_OPEN = re.compile(r"e[bcdfgptv][lr]e$")


def follows_a_subject(keys: Sequence[str], i: int) -> bool:
    """Return whether this word is a verb: after « qui », also with « se » or « le » between."""
    at = i - 1
    if at >= 0 and keys[at] == "J":
        return keys[i][0] in _VOWELS
    while at > 0 and keys[at] in _PRONOUNS - _SUBJECTS:
        at -= 1
    return at >= 0 and keys[at] in _SUBJECTS and (at == i - 1 or keys[at] == "QUI")


def is_pronoun(keys: Sequence[str], i: int) -> bool:
    """Return whether ON, SE or CE is no acronym here: « on danse », « ce qui brille »."""
    if i + 1 == len(keys):
        return False
    if keys[i] == "CE":
        return keys[i + 1] in {"QUI", "QUE"}
    return keys[i] in _SUBJECTS and present(keys[i + 1]) is not None


def may_be_a_verb(keys: Sequence[str], i: int) -> bool:
    """Return whether the present fits as well as the participle that the letters also spell.

    A participle in é stands beside no feminine noun: « la terre fume ».
    """
    spelling = french(keys[i])
    if spelling is None or not spelling.endswith("é") or present(keys[i]) is None:
        return False
    is_feminine = i > 1 and keys[i - 2] in chosen("feminins") and is_common(keys[i - 1])
    return i > 0 and (keys[i - 1] in _PERHAPS or is_feminine)


def present(key: str) -> str | None:
    """Return « fume » for FUME, « créent » for CREENT; None where the letters are no such form."""
    known = chosen("presents").get(key)
    if known is not None:
        return known
    ending = re.search("(?:E|ES|ENT)$", key)
    infinitive = None if ending is None else french(f"{key[: ending.start()]}ER")
    if ending is None or infinitive is None or not infinitive.endswith("er"):
        return None
    singular = infinitive[:-1]
    if _OPEN.search(singular):
        return None
    return _CLOSED.sub("è", singular) + ending[0][1:].lower()
