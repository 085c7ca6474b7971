"""A fingerprint of what a text says besides its facts: near texts have near fingerprints.

Charikar, « Similarity Estimation Techniques from Rounding Algorithms » (2002): each bit is the
majority of that bit in the hashes of the text's shingles.
"""

import functools
import hashlib
import re

from services.reviewer.validation.checked_text import CheckedText
from services.reviewer.validation.masking import MASK
from shared.sirene.facts import Facts

BITS = 64
NEAR = 18
"""Bits that two texts may differ in and still read the same: of neighbours' template texts 3 %
of the pairs do, of texts with one word, sentence or the order changed 99 % (tests/mutations)."""

_SHINGLE_WORDS = 3
_HEADCOUNT = re.compile(
    r"(?:(?:entre|de) )?\b[\d¤][\d ¤]*(?:(?:et|ou|a) [\d¤][\d ¤]*)?"
    r"(?=salarie|personne|agent|employe|collaborateur)(?P<noun>\w+)(?: (?:ou|et) plus)?"
)
_MASKS = re.compile(rf"{MASK}+(?:[ ,()«»\"'-]*{MASK}+)*")
_WORD = re.compile(rf"[^\W\d_]+|{MASK}")
_LANE_BITS = 16
"""A lane counts one bit's votes: no text of a notice's length has 65 536 shingles."""
_LANE = (1 << _LANE_BITS) - 1
_SPREAD = tuple(
    sum(1 << (bit * _LANE_BITS) for bit in range(8) if byte >> bit & 1) for byte in range(256)
)


def simhash(text: str, facts: Facts) -> int:
    """As PostgreSQL's bigint holds it: 64 bits with a sign."""
    words = _delexicalised(text, facts)
    shingles = list(zip(*(words[shift:] for shift in range(_SHINGLE_WORDS)), strict=False))
    votes = sum(_lanes(" ".join(shingle)) for shingle in shingles)
    half = len(shingles) / 2
    unsigned = sum(1 << bit for bit in range(BITS) if (votes >> (bit * _LANE_BITS)) & _LANE > half)
    return unsigned - (1 << BITS) if unsigned >> (BITS - 1) else unsigned


def distance(first: int, second: int) -> int:
    """How many bits differ."""
    return ((first ^ second) & ((1 << BITS) - 1)).bit_count()


def _delexicalised(text: str, facts: Facts) -> list[str]:
    rest = _HEADCOUNT.sub(rf"{MASK} \g<noun>", CheckedText.of(text, facts).rest_folded)
    return _WORD.findall(_MASKS.sub(MASK, rest))


@functools.lru_cache(maxsize=16384)
def _lanes(shingle: str) -> int:
    """The hash with each bit in a lane of its own, so that one sum counts all votes."""
    digest = hashlib.blake2b(shingle.encode(), digest_size=BITS // 8).digest()
    return sum(_SPREAD[byte] << (place * 8 * _LANE_BITS) for place, byte in enumerate(digest))
