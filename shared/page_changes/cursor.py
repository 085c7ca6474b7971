"""A place in the log, as readers keep it: two numbers with a dot between them."""

import re
from typing import NamedTuple, Self

from shared.errors import SirenadeError

_LARGEST = 2**63 - 1
_CURSOR = re.compile(r"([0-9]{1,19})\.([0-9]{1,19})")


class CursorLost(SirenadeError):
    """Raised when nobody can say what followed a cursor: its row is kept no more, or never was.

    The reader begins anew, from `latest` and from the pages as they are then.
    """


class Cursor(NamedTuple):
    """A place in the log: right behind this row."""

    xid: int
    pro_localisation_id: int

    def __str__(self) -> str:
        return f"{self.xid}.{self.pro_localisation_id}"

    @classmethod
    def parse(cls, words: str) -> Self:
        """Read what `str` has made. Raises ValueError for anything else."""
        if (found := _CURSOR.fullmatch(words)) is None:
            raise ValueError("a cursor is two numbers with a dot between them")
        numbers = [int(digits) for digits in found.groups()]
        if max(numbers) > _LARGEST:
            raise ValueError("a number of a cursor is too large")
        return cls(*numbers)


START = Cursor(0, 0)
"""The place in front of all rows that are kept."""
