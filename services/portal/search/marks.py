"""The places in the orders of hits, written as the `next` of an answer. Pure."""

import datetime as dt
import math
import re
from typing import NamedTuple

from services.portal.search.engine import UnknownPlace

_MARK = re.compile(r"([rcdw]):([0-9eE.+-]{1,32}):([0-9]{1,18})")
RANK, CREATION, DISTANCE, SCORE = "r", "c", "d", "w"


class CursorMark(NamedTuple):
    """The hit after which an answer goes on: its value in the order, and its id."""

    value: str
    id: int

    @property
    def number(self) -> float:
        try:
            number = float(self.value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise UnknownPlace("the cursor is of another search")
        return number

    @property
    def whole(self) -> int:
        return int(self.number)

    @property
    def day(self) -> dt.date:
        try:
            return dt.date.fromisoformat(self.value)
        except ValueError:
            raise UnknownPlace("the cursor is of another search") from None


def written(order: str, value: object, id_: int) -> str:
    return f"{order}:{value}:{id_}"


def read(order: str, words: str | None) -> CursorMark | None:
    """Read a mark of this order; None where there is none. Raises UnknownPlace for another's."""
    if words is None:
        return None
    found = _MARK.fullmatch(words)
    if found is None or found[1] != order:
        raise UnknownPlace("the cursor is of another search")
    mark = CursorMark(found[2], int(found[3]))
    _ = mark.day if order == CREATION else mark.number
    return mark
