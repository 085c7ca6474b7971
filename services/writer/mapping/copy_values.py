"""Values of INSEE's records as texts that PostgreSQL's COPY reads, empty for null.

Nearly every value is as it must be, and is only looked at, many at once; what is not so is read
by `values`, with the same result and the same errors.
"""

import datetime as dt
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from services.writer.mapping.copy_lines import ESCAPES
from shared.sirene.records import OPEN_TO_ALL, PARTIAL
from shared.sirene.values import (
    MASKED,
    MAX_SMALLINT,
    MAX_TEXT_LENGTH,
    JsonObject,
    boolean,
    date,
    instant,
    number,
    sent_date,
    small_integer,
    statut_diffusion,
    text_of,
)

Texts = Sequence[str]

_BETWEEN: Final = "|"
_OTHER: Final = "?"
_UNKNOWN_DAY: Final = "1900-01-01"
_USUAL_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_USUAL_INSTANT = re.compile(
    r"(?!1900-01-01)[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
)
_USUAL_NUMBER = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,15})?")
_STATUTS: Mapping[object, str] = {OPEN_TO_ALL: OPEN_TO_ALL, PARTIAL: PARTIAL}
_TRUTHS: Mapping[object, str] = {None: "", True: "t", False: "f"}


class Keys:
    """Two keys of a block or more, whose values are read and looked at together."""

    __slots__ = ("_get", "_names", "_none", "_number")

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        self._get = itemgetter(*self._names)
        self._number = len(self._names)
        self._none = [""] * self._number

    def texts(self, block: JsonObject) -> Texts:
        """As `values.text_of` each key."""
        values = self._values(block)
        if values.count(None) == self._number:  # a second address, nearly always
            return self._none
        found = ["" if value is None else value for value in values]
        try:
            joined = _BETWEEN.join(found)
        except TypeError:  # something else than a text
            return self._one_by_one(block)
        if (
            # To take out, to cut off or to escape; a text that has the sign between them inside
            # is at worst looked at again.
            not joined.isprintable()
            or "\\" in joined
            or "| " in joined
            or " |" in joined
            or joined[0] == " "
            or joined[-1] == " "
            or (len(joined) > MAX_TEXT_LENGTH and len(max(found, key=len)) > MAX_TEXT_LENGTH)
        ):
            return self._one_by_one(block)
        if MASKED in joined:
            return ["" if text == MASKED else text for text in found]
        return found

    def truths(self, block: JsonObject) -> Texts:
        """As `values.boolean` each key."""
        found = [
            "f" if value is False else "t" if value is True else "" if value is None else _OTHER
            for value in self._values(block)
        ]
        return [truth(block, key) for key in self._names] if _OTHER in found else found

    def _values(self, block: JsonObject) -> tuple[Any, ...]:
        try:
            values: tuple[Any, ...] = self._get(block)
        except KeyError:  # a reduced payload leaves out what is null
            values = tuple(map(block.get, self._names))
        return values

    def _one_by_one(self, block: JsonObject) -> Texts:
        return [(text_of(block, key) or "").translate(ESCAPES) for key in self._names]


def truth(block: JsonObject, key: str) -> str:
    return _TRUTHS[boolean(block, key)]


def statut(block: JsonObject, key: str) -> str:
    """O or P."""
    value = block.get(key)
    if type(value) is str and value in _STATUTS:
        return _STATUTS[value]
    return statut_diffusion(block, key)


def day(block: JsonObject, key: str) -> str:
    value = block.get(key)
    if type(value) is str and value != _UNKNOWN_DAY and _is_usual_day(value):
        return value
    return _iso(date(block, key))


def sent_day(block: JsonObject, key: str) -> str:
    """1900-01-01 where that is what INSEE sends."""
    value = block.get(key)
    if value is None:
        return ""
    return value if type(value) is str and _is_usual_day(value) else _iso(sent_date(block, key))


def moment(block: JsonObject, key: str) -> str:
    value = block.get(key)
    if type(value) is str and _USUAL_INSTANT.fullmatch(value):
        try:
            dt.datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return value
    return _iso(instant(block, key))


def small_number(block: JsonObject, key: str) -> str:
    value = block.get(key)
    if type(value) is not int or not 0 <= value <= MAX_SMALLINT:
        value = small_integer(block, key)
    return "" if value is None else str(value)


def decimal(block: JsonObject, key: str) -> str:
    value = block.get(key)
    if value is None:
        return ""
    if type(value) is str and _USUAL_NUMBER.fullmatch(value):
        return value
    found = number(block, key)
    return "" if found is None else repr(found)


def _iso(value: dt.date | None) -> str:
    return "" if value is None else value.isoformat()


@functools.lru_cache(maxsize=50_000)
def _is_usual_day(text: str) -> bool:
    """Spelled as nearly all are; a register has some ten thousand different ones."""
    if _USUAL_DAY.fullmatch(text) is None:
        return False
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True
