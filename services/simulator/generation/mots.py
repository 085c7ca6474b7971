"""Surnames and made words with a long tail, as the names of a real register have.

A word is a function of its rank alone: every register has the same vocabulary, of which the common
surnames are the head. The others are made by a chain of letters. No list of people was taken for
them: the chain knows the names of communes and the common surnames.
"""

import re
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from itertools import accumulate

from services.simulator.generation import reference, vocabulary
from services.simulator.generation.dice import Dice

# Octave k has 2**k ranks. Where the share of a rank falls as rank**-0.75, which is Zipf's law, an
# octave weighs 2**0.25 times as much as the one before it.
_OCTAVES = 17
RANKS = (1 << _OCTAVES) - 1
_ENDS = list(accumulate(round(1000 * 2 ** (octave / 4)) for octave in range(_OCTAVES)))

_SHORTEST, _LONGEST = 5, 12
_BEFORE, _AFTER = "^^^", "$"
_ORDER = len(_BEFORE)


def draw(dice: Dice) -> str:
    """Draw a word: MARTIN one time in a hundred, most of the others once in a whole register."""
    octave = bisect_right(_ENDS, dice.below(_ENDS[-1]))
    return word((1 << octave) - 1 + dice.below(1 << octave))


@cache
def word(rank: int) -> str:
    """Return the word of a rank from 0; two ranks may by chance have the same made word."""
    common = vocabulary.names("noms")
    return common[rank] if rank < len(common) else _made(Dice(0, "mot", rank))


def _made(dice: Dice) -> str:
    following = _following()
    while True:
        made = _BEFORE
        while len(made) <= _ORDER + _LONGEST:
            letter = dice.pick(following[made[-_ORDER:]])
            if letter == _AFTER:
                break
            made += letter
        length = len(made) - _ORDER
        if _SHORTEST <= length <= _LONGEST and made[_ORDER:] not in real_words():
            return made[_ORDER:]


@cache
def _following() -> Mapping[str, str]:
    """Map three letters to the letters that follow them, each as often as it does."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for known in real_words():
        signs = f"{_BEFORE}{known}{_AFTER}"
        for at in range(len(signs) - _ORDER):
            found[signs[at : at + _ORDER]].append(signs[at + _ORDER])
    return {before: "".join(after) for before, after in found.items()}


@cache
def real_words() -> Mapping[str, None]:
    """Return the words of communes, common surnames and first names, in an order that stays."""
    communes = " ".join(commune.nom for commune in reference.every_commune())
    people = (vocabulary.names(kind) for kind in ("noms", "prenoms_f", "prenoms_m"))
    text = " ".join([communes.replace("œ", "oe"), *(" ".join(names) for names in people)])
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().upper()
    return dict.fromkeys(re.findall(r"[A-Z]{4,}", plain))
