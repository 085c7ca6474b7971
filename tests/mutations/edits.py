"""Changes of a text, the parts of a fault."""

import random
import re
import unicodedata
from collections.abc import Callable

from tests.mutations.bases import Base

Mutate = Callable[[Base, random.Random], str | None]
"""A change of a text; it returns None where the text cannot have this fault."""


def plain(text: str) -> str:
    """Return the text in lower case without accents, character for character."""
    return "".join(unicodedata.normalize("NFKD", one)[0].lower() for one in text)


def spans(text: str, part: str) -> list[tuple[int, int]]:
    found = re.finditer(re.escape(plain(part)), plain(text))
    return [match.span() for match in found]


def swap(text: str, part: str, other: str) -> str | None:
    found = spans(text, part)
    for start, end in reversed(found):
        text = text[:start] + other + text[end:]
    return text if found else None


def instead(*others: str) -> Mutate:
    return lambda _base, chosen: chosen.choice(others)


def typo(word: str, chosen: random.Random) -> str:
    place = chosen.randrange(1, len(word) - 1)
    kind = chosen.randrange(3)
    if kind == 0:
        return word[:place] + word[place + 1 :]
    if kind == 1:
        return word[:place] + "qzkx"[chosen.randrange(4)] + word[place + 1 :]
    return word[:place] + word[place].upper() + "qzkx"[chosen.randrange(4)] + word[place:]
