"""The display form of a word that no list has. Pure."""

import re

LONG = 6
"""A shorter word may be an acronym."""

_PRONOUNCED = re.compile(r"(?!.*[BCDFGJKLMNPQRSTVWXZ]{5})(?:.*[AEIOUY]){2}.*")
_IMPOSSIBLE_START = re.compile(r"[BCDFGJKLMNPQRSTVWXZ]{4}|([A-Z])\1")
# French may write an accent, a cedilla or œ here: an open syllable, or a last E but in some ends.
_ROOM = re.compile(
    r"(?<!^L)(?<!^D(?=.L))E(?:[BCDFGJKLMNPQRSTVZ]|[BCDFGPTV][RL]|CH|PH|TH|GN|[QG]U)[AEIOUY]|EA(?!U)|EO|OE|AIQU"
    r"|C[AO](?:IS|N|DE)S?$|HOTE|CHAT[EI]|MAITR|BATI"
    r"|(?<!LL)(?<!NN)(?<!SS)(?<!TT)(?<!RR)(?<![IUGD])(?<!I[CNSZ])(?<!IST)(?<!AN)(?<!NC)ES?$"
)
# Words that French always ends so, names too: Poulardière.
_IERE = re.compile(r"ieres?$")


def unlisted(word: str) -> str | None:
    """Return a word in no list: short, or hardly to be said, it may be an acronym and stays.

    None where it may have an accent.
    """
    if len(word) < LONG or not _PRONOUNCED.match(word) or _IMPOSSIBLE_START.match(word):
        return word
    return None if may_have_accent(word) else capitalized(word)


def may_have_accent(word: str) -> bool:
    """Return whether the letters leave room for an accent that nobody knows of."""
    return _ROOM.search(re.sub("IERES?$", "", word)) is not None


def capitalized(word: str) -> str:
    """Return the word with a capital, and the accent that its end always has."""
    return _IERE.sub(lambda end: end[0].replace("ier", "ièr"), word.capitalize())
