"""Activities by the words that people call them: coiffeur, resto, cabinet dentaire. Pure."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import NamedTuple

from shared.search.communes import NamedCommune, find_commune
from shared.search.words import telling, words_of

_PLURALS = "sx"


class NamedTrade(NamedTuple):
    """The words from `first` up to `end` call the activities of these codes."""

    first: int
    end: int
    codes: Sequence[str]


def find_trades(words: Sequence[str]) -> list[NamedTrade]:
    """Return the trades that runs of words call, of runs that meet the longest first one.

    A longer name of a commune is no trade: Bar-le-Duc.
    """
    commune = find_commune(words)
    return [each for each in _runs(words) if commune is None or not _is_part(each, commune, words)]


def _runs(words: Sequence[str]) -> Iterator[NamedTrade]:
    by_words = trade_words()
    longest = max(map(len, by_words))
    keys = [_key(word) for word in words]
    first = 0
    while first < len(keys):
        for end in range(min(first + longest, len(keys)), first, -1):
            codes = by_words.get(tuple(keys[first:end]))
            if codes is not None:
                yield NamedTrade(first, end, codes)
                first = end - 1
                break
        first += 1


def _is_part(trade: NamedTrade, commune: NamedCommune, words: Sequence[str]) -> bool:
    """Return whether the trade is in the name of the commune, and this says more."""
    if not commune.first <= trade.first < trade.end <= commune.end:
        return False
    names = (words[each.first : each.end] for each in (trade, commune))
    return len({tuple(telling(name)) for name in names}) > 1


def _key(word: str) -> str:
    return word[:-1] if word[-1] in _PLURALS else word


@functools.cache
def trade_words() -> Mapping[tuple[str, ...], Sequence[str]]:
    """Return the codes by the words of a trade, these without the ending of a plural."""
    found: dict[tuple[str, ...], list[str]] = {}
    lines = (resources.files("shared.search") / "data" / "metiers.txt").read_text("utf-8")
    for line in lines.splitlines():
        if line.startswith("#"):
            continue
        codes, _, trades = line.partition(": ")
        for trade in trades.split(","):
            known = found.setdefault(tuple(map(_key, words_of(trade))), [])
            known += [code for code in codes.split() if code not in known]
    return found
