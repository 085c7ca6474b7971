"""Numbers in a French text, in digits and in letters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_UNITS = {
    "zero": 0, "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6,
    "sept": 7, "huit": 8, "neuf": 9, "dix": 10, "onze": 11, "douze": 12, "treize": 13,
    "quatorze": 14, "quinze": 15, "seize": 16,
}  # fmt: skip
_TENS = {
    "vingt": 20, "vingts": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60,
    "septante": 70, "huitante": 80, "octante": 80, "nonante": 90,
}  # fmt: skip
_SCALES = {"cent": 100, "cents": 100, "mille": 1000, "million": 10**6, "millions": 10**6}
_ROUND = {
    "dizaine": 10, "douzaine": 12, "quinzaine": 15, "vingtaine": 20, "trentaine": 30,
    "quarantaine": 40, "cinquantaine": 50, "soixantaine": 60, "centaine": 100, "millier": 1000,
}  # fmt: skip
_WORD = "|".join(sorted((*_UNITS, *_TENS, *_SCALES), key=len, reverse=True))
_LETTERS = re.compile(rf"\b(?:{_WORD})(?:[ -](?:{_WORD})|[ -]et[ -](?:une?|onze)\b)*\b")
WORDS = frozenset({*_UNITS, *_TENS, *_SCALES})
"""Folded number words, without round ones such as « douzaine »."""
_ROUND_WORD = re.compile(rf"\b({'|'.join(_ROUND)})s?\b")
_DIGITS = re.compile(r"(?<![\w.])\d{1,3}(?: \d{3})+(?!\d)|\d+")

_MOST_DIGITS = 100


@dataclass(frozen=True, slots=True)
class Number:
    """`start` and `end` are positions in the folded text."""

    value: int
    start: int
    end: int


def find_numbers(folded: str) -> Iterator[Number]:
    """Yield the numbers. « un » and « une » alone are articles."""
    for match in _DIGITS.finditer(folded):
        yield Number(read_digits(match.group().replace(" ", "")), match.start(), match.end())
    for match in _LETTERS.finditer(folded):
        if match.group() not in {"un", "une"}:
            yield Number(value_of(match.group()), match.start(), match.end())
    for match in _ROUND_WORD.finditer(folded):
        yield Number(_ROUND[match.group(1)], match.start(), match.end())


def read_digits(digits: str) -> int:
    """Return the number; of one that is longer than any fact, only that it is as long."""
    # Python refuses to read thousands of digits.
    return int(digits) if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS


def value_of(words: str) -> int:
    total = current = 0
    for word in re.split(r"[ -]", words):
        if word in _UNITS:
            current += _UNITS[word]
        elif word in {"vingt", "vingts"} and current % 100 == 4:  # noqa: PLR2004 quatre-vingts
            current += 76
        elif word in _TENS:
            current += _TENS[word]
        elif word in {"cent", "cents"}:
            current = max(current, 1) * 100
        elif word in _SCALES:
            total += max(current, 1) * _SCALES[word]
            current = 0
    return total + current
