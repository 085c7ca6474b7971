"""The words in which two versions of a text differ. Pure."""

import difflib
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

Change = Literal["same", "gone", "new"]
# `difflib` compares words with words: a text of a server may have a megabyte.
_MOST_WORDS = 2_000


class Run(NamedTuple):
    """Words that both versions have, or that one of them has."""

    change: Change
    words: str


def differences(before: str, after: str) -> Sequence[Run]:
    """Return the words of both versions in their order, what is gone before what is new."""
    old, new = before.split(), after.split()
    if len(old) + len(new) > _MOST_WORDS:
        return [Run("gone", before), Run("new", after)]
    return list(_runs(old, new))


def _runs(old: Sequence[str], new: Sequence[str]) -> Iterator[Run]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for change, start, end, new_start, new_end in matcher.get_opcodes():
        if change == "equal":
            yield Run("same", " ".join(old[start:end]))
            continue
        if end > start:
            yield Run("gone", " ".join(old[start:end]))
        if new_end > new_start:
            yield Run("new", " ".join(new[new_start:new_end]))
