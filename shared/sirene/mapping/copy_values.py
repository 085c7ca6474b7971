"""Values of INSEE's records as lines of PostgreSQL's COPY, a tab between, empty for null. Pure.

A row to write is kept as its line alone: a thousand rows of fifty texts each would cost more in
memory and garbage collection than in work. No value of a row is an empty text.

Nearly every value is valid as it is: many are checked at once. The functions of
`shared.sirene.values` read the others, with the same results and the same errors.
"""

import datetime as dt
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from shared.sirene import values
from shared.sirene.records import OPEN_TO_ALL, PARTIAL
from shared.sirene.values import MASKED, MAX_SMALLINT, MAX_TEXT_LENGTH, JsonObject

Texts = Sequence[str]

BETWEEN: Final = "\t"
ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ESCAPED = re.compile(r"\\(.)")
_MEANT = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}

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


def texts_of(line: str) -> list[str]:
    """Return the texts of the line, without their escapes."""
    texts = line.split(BETWEEN)
    if "\\" in line:
        texts = [
            _ESCAPED.sub(lambda sign: _MEANT[sign[1]], text) if "\\" in text else text
            for text in texts
        ]
    return texts


class Keys:
    """Two or more keys of a block, whose values are read and checked together."""

    __slots__ = ("_get", "_names", "_none", "_number")

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        self._get = itemgetter(*self._names)
        self._number = len(self._names)
        self._none = [""] * self._number

    def texts(self, block: JsonObject) -> Texts:
        """Read each key as `values.text_of` does."""
        sent = self._values(block)
        if sent.count(None) == self._number:  # nearly always so for a second address
            return self._none
        found = ["" if value is None else value for value in sent]
        try:
            joined = _BETWEEN.join(found)
        except TypeError:  # a value is no text
            return self._one_by_one(block)
        if (
            # These need a change or an escape. A text that holds `_BETWEEN` itself is at worst read
            # a second time.
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
        """Read each key as `values.boolean` does."""
        found = [
            "f" if value is False else "t" if value is True else "" if value is None else _OTHER
            for value in self._values(block)
        ]
        return [truth(block, key) for key in self._names] if _OTHER in found else found

    def _values(self, block: JsonObject) -> tuple[Any, ...]:
        try:
            sent: tuple[Any, ...] = self._get(block)
        except KeyError:  # a reduced payload leaves out what is null
            sent = tuple(map(block.get, self._names))
        return sent

    def _one_by_one(self, block: JsonObject) -> Texts:
        return [(values.text_of(block, key) or "").translate(ESCAPES) for key in self._names]


def truth(block: JsonObject, key: str) -> str:
    """Read as `values.boolean` does."""
    return _TRUTHS[values.boolean(block, key)]


def statut(block: JsonObject, key: str) -> str:
    """Return O or P."""
    value = block.get(key)
    if type(value) is str and value in _STATUTS:
        return _STATUTS[value]
    return values.statut_diffusion(block, key)


def day(block: JsonObject, key: str) -> str:
    """Read as `values.date` does."""
    value = block.get(key)
    if type(value) is str and value != _UNKNOWN_DAY and _is_usual_day(value):
        return value
    return _iso(values.date(block, key))


def sent_day(block: JsonObject, key: str) -> str:
    """Keep 1900-01-01, INSEE's unknown day, as it is sent."""
    value = block.get(key)
    if type(value) is str and _is_usual_day(value):
        return value
    return _iso(values.sent_date(block, key))


def moment(block: JsonObject, key: str) -> str:
    """Read as `values.instant` does."""
    value = block.get(key)
    if type(value) is str and _USUAL_INSTANT.fullmatch(value):
        try:
            dt.datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return value
    return _iso(values.instant(block, key))


def small_number(block: JsonObject, key: str) -> str:
    """Read as `values.small_integer` does."""
    value = block.get(key)
    if type(value) is not int or not 0 <= value <= MAX_SMALLINT:
        value = values.small_integer(block, key)
    return "" if value is None else str(value)


def decimal(block: JsonObject, key: str) -> str:
    """Read as `values.number` does."""
    value = block.get(key)
    if value is None:
        return ""
    if type(value) is str and _USUAL_NUMBER.fullmatch(value):
        return value
    found = values.number(block, key)
    return "" if found is None else repr(found)


def _iso(value: dt.date | None) -> str:
    return "" if value is None else value.isoformat()


@functools.lru_cache(maxsize=50_000)
def _is_usual_day(text: str) -> bool:
    """Return whether the day has the usual spelling; a register has some 10 000 different days."""
    if _USUAL_DAY.fullmatch(text) is None:
        return False
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True
