"""The values of INSEE's records, read from a block by their key. Pure.

INSEE sends nearly everything as a string or null. A function that meets a wrong value raises
MappingError, which names the key and never holds the value.
"""

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import Any, Final

from shared.controls import without_controls
from shared.days import FRANCE
from shared.errors import SirenadeError
from shared.sirene.records import OPEN_TO_ALL, PARTIAL

JsonObject = Mapping[str, Any]

MASKED: Final = "[ND]"
MAX_TEXT_LENGTH: Final = 1000
"""Far above INSEE's longest field (130); an index entry has a bound."""
MAX_SMALLINT: Final = 32_767
_UNKNOWN_DATE = dt.date(1900, 1, 1)
_OFFSET = r"(?:Z|[+-]\d\d(?::?\d\d)?)"
_DATE = re.compile(rf"(\d{{1,6}})-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?{_OFFSET}?)?", re.ASCII)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class MappingError(SirenadeError):
    """Raised when one record cannot become rows; the message never holds a value of it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def json_object(value: object, name: str) -> JsonObject:
    if not isinstance(value, dict):
        raise MappingError("bad_type", f"the block {name} is not an object")
    return value


def text_of(block: JsonObject, key: str) -> str | None:
    """Return the text without spaces around; None for null, an empty text or `[ND]`."""
    value = block.get(key)
    if value is None or value == MASKED:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise MappingError("bad_type", f"{key} is not a text")
    text = value.strip(" ") if value.isprintable() else clean(value).strip()
    if len(text) > MAX_TEXT_LENGTH:
        raise MappingError("too_long", f"{key} is longer than {MAX_TEXT_LENGTH} characters")
    return text if text not in {"", MASKED} else None


def clean(text: str) -> str:
    """Remove lone surrogates, which PostgreSQL cannot store, and what would steer a terminal."""
    text = without_controls(text)
    return text if text.isascii() else _SURROGATE.sub("", text)


def statut_diffusion(block: JsonObject, key: str) -> str:
    """Return O or P: whatever else is said may hide a person."""
    statut = text_of(block, key)
    if statut is None:
        raise MappingError("missing_statut_diffusion", f"{key} is missing")
    return OPEN_TO_ALL if statut == OPEN_TO_ALL else PARTIAL


def boolean(block: JsonObject, key: str) -> bool | None:
    value = block.get(key)
    if value is not None and not isinstance(value, bool):
        raise MappingError("bad_type", f"{key} is not a boolean")
    return value


def small_integer(block: JsonObject, key: str) -> int | None:
    """Return a number from 0 to `MAX_SMALLINT`, which INSEE writes as a number or a string."""
    text = text_of(block, key)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > MAX_SMALLINT:
        raise MappingError("bad_number", f"{key} is not a small number")
    return int(text)


def number(block: JsonObject, key: str) -> float | None:
    """Return a finite number, which INSEE writes as a string; None for `[ND]`, a masked one."""
    value = block.get(key)
    if not isinstance(value, float):
        value = text_of(block, key)
    try:
        number = None if value is None else float(value)
    except ValueError:
        raise MappingError("bad_number", f"{key} is not a number") from None
    return number if number is not None and math.isfinite(number) else None


def instant(block: JsonObject, key: str) -> dt.datetime | None:
    """Return Paris time without an offset; milliseconds and the time of day may be absent.

    A time with an offset, which INSEE does not send today, is converted.

    None for 1900-01-01, which means unknown, and for years outside Python's calendar.
    """
    found = _instant(block, key)
    return None if found is None or found.date() == _UNKNOWN_DATE else found


def paris_time(text: str) -> dt.datetime:
    """Return Paris time without an offset, as INSEE sends it; convert a time with an offset."""
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo is None else found.astimezone(FRANCE).replace(tzinfo=None)


def date(block: JsonObject, key: str) -> dt.date | None:
    """Return the day of `instant`."""
    found = sent_date(block, key)
    return None if found == _UNKNOWN_DATE else found


def sent_date(block: JsonObject, key: str) -> dt.date | None:
    """Return the date as INSEE sends it, 1900-01-01 too."""
    found = _instant(block, key)
    return None if found is None else found.date()


def _instant(block: JsonObject, key: str) -> dt.datetime | None:
    text = text_of(block, key)
    if text is None:
        return None
    match = _DATE.fullmatch(text)
    if match is None:
        raise MappingError("bad_date", f"{key} is not a date")
    year, rest = int(match[1]), text[match.end(1) :]
    if not dt.MINYEAR <= year <= dt.MAXYEAR:
        return None
    try:
        return paris_time(f"{year:04d}{rest}")
    except OverflowError:
        return None
    except ValueError:
        raise MappingError("bad_date", f"{key} is not a date") from None
