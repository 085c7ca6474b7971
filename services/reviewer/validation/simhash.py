"""The simhash of a text without its facts: near texts have simhashes that differ in few bits.

Charikar, « Similarity Estimation Techniques from Rounding Algorithms » (2002): each bit is the
majority of that bit in the hashes of the text's shingles.
"""

import functools
import hashlib
import re
from collections.abc import Iterable

from services.reviewer.french.folding import fold, fold_with_origins, runs
from services.reviewer.validation.checked_text import normalise
from services.reviewer.validation.known import know
from services.reviewer.validation.masking import MASK, find_facts, mask
from shared.sirene.facts import Facts

BITS = 64
_ALL_BITS = (1 << BITS) - 1
NEAR = 18
"""The most bits by which near texts differ. In this range are 5 % of the pairs of neighbours'
template texts, and 97 % of the texts with one word, sentence or the order changed
(tests/mutations)."""

_SHINGLE_WORDS = 3
_SMALL = "deux|trois|quatre|cinq|six|sept|huit|neuf"
_HEADCOUNT = re.compile(
    rf"(?:(?:entre|de) |d')?\b(?:[\d{MASK}][\d {MASK}]*|(?:une?|{_SMALL}) )"
    rf"(?:(?:et|ou|a) (?:[\d{MASK}][\d {MASK}]*|(?:{_SMALL}) ))?"
    r"(?=salarie|personne|agent|employe|collaborateur)(?P<noun>\w+)(?: (?:ou|et) plus)?"
)
_MASKS = re.compile(rf"{MASK}+(?:[ ,()«»\"'-]*{MASK}+)*")
_WORD = re.compile(rf"\b(?!(?:{_SMALL})\b)[^\W\d_]+|{MASK}")
_LANE_BITS = 16
"""The bits of a lane, which counts one bit's votes: no notice has 65 536 shingles."""
_LANE = (1 << _LANE_BITS) - 1
_SPREAD = tuple(
    sum(1 << (bit * _LANE_BITS) for bit in range(8) if byte >> bit & 1) for byte in range(256)
)


def simhash(text: str, facts: Facts) -> int:
    """Return the simhash as a signed 64-bit integer, as PostgreSQL's bigint holds it."""
    words = _delexicalised(text, facts)
    shingles = list(runs(words, _SHINGLE_WORDS))
    votes = sum(_lanes(" ".join(shingle)) for shingle in shingles)
    half = len(shingles) / 2
    unsigned = sum(1 << bit for bit in range(BITS) if (votes >> (bit * _LANE_BITS)) & _LANE > half)
    return unsigned - (1 << BITS) if unsigned >> (BITS - 1) else unsigned


def distance(first: int, second: int) -> int:
    """Return the number of bits that differ."""
    return ((first ^ second) & _ALL_BITS).bit_count()


def bits_of(simhashes: Iterable[int]) -> list[int]:
    """Return the simhashes as plain bits, which `least_distance` compares in no time."""
    return [each & _ALL_BITS for each in simhashes]


def least_distance(simhash: int, others: Iterable[int]) -> int:
    """Return the number of bits that differ from the nearest; `others` are plain bits."""
    return min(map(int.bit_count, map((simhash & _ALL_BITS).__xor__, others)), default=BITS)


def _delexicalised(text: str, facts: Facts) -> list[str]:
    rest = _HEADCOUNT.sub(rf"{MASK} \g<noun>", _rest(text, facts))
    return _WORD.findall(_MASKS.sub(MASK, rest))


def _rest(text: str, facts: Facts) -> str:
    """Return the folded text without its facts."""
    plain, known = normalise(text), know(facts)
    folded = fold_with_origins(plain)
    return fold(mask(plain, folded, known, find_facts(plain, folded, known)).rest)


@functools.lru_cache(maxsize=16384)
def _lanes(shingle: str) -> int:
    """Return the hash with each bit in a lane of its own: one sum then counts all votes."""
    digest = hashlib.blake2b(shingle.encode(), digest_size=BITS // 8).digest()
    return sum(_SPREAD[byte] << (place * 8 * _LANE_BITS) for place, byte in enumerate(digest))
