"""The comparison of one value with one term: words, wildcards, ranges of dates and numbers."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from services.simulator.errors import QuerySyntaxError, ReversedRangeError
from services.simulator.generation.reference import Variable
from services.simulator.query.tree import Range, Word
from services.simulator.query.variables import is_text

Matcher = Callable[[object], bool]

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d(:\d\d(:\d\d(\.\d{1,3})?)?)?)?)?)?Z?")
_ROUND_END = re.compile(r"(-01)?(-01)?T00:00:00(\.0+)?$")
_DATES = frozenset({"date", "datetime"})


def matcher(field: Variable, value: Word | Range, query: str) -> Matcher:
    """Return a test of a value of this field; null never matches.

    Raises BadRequestError where the value cannot be one of the field.
    """
    if isinstance(value, Range):
        if field.nature in _DATES:
            return _in_dates(value, query)
        return _in_range(value, query, whole=field.nature == "integer")
    if value.text == "*" and value.wild:
        return lambda found: found is not None
    if is_text(field.nom):
        return _text_matcher(value)
    if field.nature in _DATES and not value.wild:
        return _on_date(value.text, query)
    return _pattern_matcher(value)


def normalised(text: str) -> str:
    """Remove accents and case, as full-text search does."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in apart if not unicodedata.combining(sign)).casefold()


def as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _pattern(word: Word) -> str:
    wild = {"*": ".*", "?": "."}
    return "".join(
        wild[sign] if position in word.wild else re.escape(sign)
        for position, sign in enumerate(word.text)
    )


def _pattern_matcher(word: Word) -> Matcher:
    if not word.wild:
        wanted = word.text.casefold()
        return lambda value: value is not None and as_text(value).casefold() == wanted
    if word.wild == {len(word.text) - 1} and word.text.endswith("*"):
        prefix = word.text[:-1].casefold()
        return lambda value: value is not None and as_text(value).casefold().startswith(prefix)
    pattern = re.compile(_pattern(word), re.IGNORECASE | re.DOTALL)
    return lambda value: value is not None and pattern.fullmatch(as_text(value)) is not None


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", normalised(text))


def _text_matcher(word: Word) -> Matcher:
    """Search in full text: a word anywhere among the words, a quoted phrase as it stands."""
    if word.wild:
        pattern = re.compile(_pattern(Word(normalised(word.text), wild=word.wild)), re.DOTALL)
        return lambda value: value is not None and any(map(pattern.fullmatch, _words(str(value))))
    wanted = " ".join(_words(word.text))
    if not wanted:
        return lambda value: value is not None and str(value) == word.text
    return lambda value: value is not None and f" {wanted} " in f" {' '.join(_words(str(value)))} "


def _on_date(text: str, query: str) -> Matcher:
    if not _DATE.fullmatch(text):
        raise QuerySyntaxError(query)
    wanted = text.removesuffix("Z")
    return lambda value: value is not None and str(value).startswith(wanted)


def _in_dates(span: Range, query: str) -> Matcher:
    """Take a bound such as 2024-05 for the whole month, at both ends."""
    for bound in (span.low, span.high):
        if bound is not None and not _DATE.fullmatch(bound):
            raise QuerySyntaxError(query)
    low = span.low and span.low.removesuffix("Z")
    high = span.high and span.high.removesuffix("Z")
    if low and high and _earliest(low) > _latest(high):
        raise ReversedRangeError(_ROUND_END.sub("", low), high)
    first = low and (_earliest(low) if span.with_low else _latest(low))
    last = high and (_latest(high) if span.with_high else _earliest(high))
    return _between(first, last, span, lambda value: _earliest(str(value)))


def _earliest(date: str) -> str:
    return date + "0000-01-01T00:00:00.000"[len(date) :]


def _latest(date: str) -> str:
    return date + "9999-12-31T23:59:59.999"[len(date) :]


def _in_range(span: Range, query: str, *, whole: bool) -> Matcher:
    low, high = _bound(span.low, query, whole=whole), _bound(span.high, query, whole=whole)
    if low is not None and high is not None and low > high:
        raise ReversedRangeError(str(low), str(high))
    if whole:
        return _between(low, high, span, lambda value: value if isinstance(value, int) else None)
    return _between(low, high, span, as_text)


def _bound(text: str | None, query: str, *, whole: bool) -> Any:
    """Return the end of a range, in the form of the values; None where it is open."""
    try:
        return int(text) if whole and text is not None else text
    except ValueError as error:
        raise QuerySyntaxError(query) from error


def _between(low: Any, high: Any, span: Range, read: Callable[[object], Any]) -> Matcher:
    """`read` returns a value in the form of the bounds; None never matches."""

    def within(value: object) -> bool:
        found = None if value is None else read(value)
        if found is None:
            return False
        above = low is None or found > low or (span.with_low and found == low)
        return above and (high is None or found < high or (span.with_high and found == high))

    return within
