"""The answers of INSEE: pages, dates, headers of the quota, refusals.

InseeError
├── QuotaExceeded   429: all fetchers pause, nothing fails
├── KeyRefused      401, 403 without a header block, or a gateway that blames the key
├── QueryRefused    400, 406, 414 and the like: a defect of the query, never sent again
└── NoGoodAnswer    5xx, cut, late, too long or malformed: ask again later
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar

import orjson

from services.fetcher.plan.deltas import Freshness
from shared.controls import shown
from shared.days import FRANCE
from shared.errors import SirenadeError
from shared.http.dates import moment_in, our_lead_seconds
from shared.http.reasons import blames_key, reason_in
from shared.sirene.identifiers import is_siren, is_siret
from shared.sirene.values import paris_time
from shared.wire import count_values

_COLLECTIONS = {"Établissements": "etablissements", "Unités Légales": "unites_legales"}

# The register has some 40 million establishments.
_TOTALS = range(2**31)
# A record has some 80 values, and 20 more for each of its periods.
_VALUES_PER_RECORD = 2000
_OTHER_VALUES = 10_000
# A cursor of INSEE has some 30 characters.
_LONGEST_CURSOR = 1000


class InseeError(SirenadeError):
    """Base of all failures of a request; `status` 0 means that no answer came."""

    outcome = "no_answer"

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class QuotaExceeded(InseeError):
    """Raised on a 429, with the pause that its headers ask for, if any.

    `limit` is the limit that is used up: `minute`, `hour`, or `untold`.
    """

    outcome = "throttled"

    def __init__(self, retry_after_seconds: float | None, *, limit: str = "untold") -> None:
        super().__init__("INSEE says that the quota is used up (429)", status=429)
        self.retry_after_seconds = retry_after_seconds
        self.limit = limit


class KeyRefused(InseeError):
    """Raised when INSEE does not accept the API key."""

    outcome = "refused"


class QueryRefused(InseeError):
    """Raised when INSEE understands the request and refuses it."""

    outcome = "refused"


class NoGoodAnswer(InseeError):
    """Raised when no answer came, or none that can be used."""

    def __init__(self, outcome: str, message: str, *, status: int = 0) -> None:
        super().__init__(message, status=status)
        self.outcome = outcome


@dataclass(frozen=True)
class RateHeaders:
    """The headers of an answer about the quota; INSEE sends them or does not."""

    limit_per_minute: float | None = None
    remaining: int | None = None
    reset_epoch_seconds: float | None = None
    limit_per_hour: float | None = None
    hour_remaining: int | None = None
    hour_reset_epoch_seconds: float | None = None

    @property
    def used_up(self) -> str:
        """The limit of which nothing is left; `hour` where it is both."""
        if self.hour_remaining == 0:
            return "hour"
        return "minute" if self.remaining == 0 else "untold"


@dataclass(frozen=True)
class PageAnswer:
    """One page; its records stay as INSEE sends them."""

    status: int
    total: int
    next_cursor: str | None
    records: list[Any]
    rate: RateHeaders


@dataclass(frozen=True)
class Informations:
    """The state of INSEE's collections, by the names of `shared.imports.treatments.COLLECTIONS`."""

    status: int
    collections: Mapping[str, Freshness]
    rate: RateHeaders


@dataclass(frozen=True)
class OneAnswer:
    """The answer to one number: 200 listed, 301 moved, 403 withheld, 404 unknown."""

    status: int
    moved_to: str | None
    rate: RateHeaders


AnswerT = TypeVar("AnswerT", PageAnswer, Informations, OneAnswer)


def refusal(
    status: int, headers: Mapping[str, str], body: bytes, redacted: Callable[[str], str]
) -> InseeError:
    """Return the error that an answer without content means, with what `redacted` leaves of it."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        rate = rate_headers(headers)
        return QuotaExceeded(_pause_seconds(headers, rate), limit=rate.used_up)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return KeyRefused(
            f"INSEE refuses the API key ({status}): set SIRENADE_INSEE_KEY", status=status
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return NoGoodAnswer("unavailable", f"INSEE answers {status}", status=status)
    if status == HTTPStatus.NOT_FOUND:
        # INSEE's own 404 has a header block: this one comes from a server on the way.
        return NoGoodAnswer(
            "unavailable", "404 without INSEE's header: is the base URL right?", status=status
        )
    message = redacted(message_of(body) or "") or reason_in(body, redacted) or "no message"
    if message_of(body) is None and blames_key(message):
        return KeyRefused(
            f"INSEE refuses the API key ({status}: {message}): set SIRENADE_INSEE_KEY",
            status=status,
        )
    return QueryRefused(f"INSEE answers {status}: {message}", status=status)


def target_of(headers: Mapping[str, str]) -> str:
    """Return the siren or siret that a redirection leads to. Raises NoGoodAnswer."""
    target = headers.get("Location", "").rpartition("/")[2]
    if not is_siren(target) and not is_siret(target):
        raise NoGoodAnswer("malformed", "the redirection leads to no number", status=301)
    return target


def page_answer(body: bytes, rate: RateHeaders, name: str, *, most: int) -> PageAnswer:
    """Read a page, whose records, `most` of them, stand under `name`. Raises NoGoodAnswer."""
    content = _loads(body, most_values=_OTHER_VALUES + most * _VALUES_PER_RECORD)
    if not isinstance(content, dict) or not isinstance(header := content.get("header"), dict):
        raise NoGoodAnswer("malformed", "the answer has no header")
    total, next_cursor = header.get("total"), header.get("curseurSuivant")
    records = content.get(name, [])
    if type(total) is not int or total not in _TOTALS or not isinstance(records, list):
        raise NoGoodAnswer("malformed", "the answer's header or records are not as documented")
    if len(records) > most:
        raise NoGoodAnswer("malformed", "the answer has more records than asked for")
    is_cursor = isinstance(next_cursor, str) and next_cursor.isprintable()
    if next_cursor is not None and not (is_cursor and len(next_cursor) <= _LONGEST_CURSOR):
        raise NoGoodAnswer("malformed", "the next cursor cannot be sent back")
    return PageAnswer(HTTPStatus.OK, total, next_cursor, records, rate)


def freshness_of(body: bytes) -> dict[str, Freshness]:
    """Read `/informations`, by collection. Raises NoGoodAnswer."""
    content = _loads(body)
    try:
        states = {
            each["Collection"]: each["etatCollection"] for each in content["etatsDesServices"]
        }
        dates = {each["collection"]: each for each in content["datesDernieresMisesAJourDesDonnees"]}
        found = {
            name: Freshness(
                is_up=content["etatService"] == "UP" and states[title] == "UP",
                treated_until=paris_time(dates[title]["dateDernierTraitementMaximum"]),
                made_available_at=paris_time(dates[title]["dateDerniereMiseADisposition"]),
            )
            for title, name in _COLLECTIONS.items()
        }
    except (KeyError, TypeError, ValueError):
        raise NoGoodAnswer("malformed", "/informations is not as documented") from None
    # A slip like 2996 would leave nothing to import for centuries.
    if max(each.treated_until.year for each in found.values()) > datetime.now(FRANCE).year + 1:
        raise NoGoodAnswer("malformed", "/informations names a year that is far from now")
    return found


def _loads(body: bytes, *, most_values: int = _OTHER_VALUES) -> Any:
    if count_values(body) > most_values:
        raise NoGoodAnswer("malformed", "the answer has more values than asked for")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    # orjson refuses lone surrogates, and one bad name can hold some: take them out.
    try:
        text = body.decode("utf-8", errors="replace")
        clean = json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", errors="replace")
        return orjson.loads(clean)
    except (ValueError, RecursionError):
        raise NoGoodAnswer("malformed", "the answer is not JSON") from None


def message_of(body: bytes) -> str | None:
    """Return INSEE's own message where the body is an error's header block."""
    try:
        header = _loads(body)["header"]
        return shown(str(header["message"])[:500])
    except (NoGoodAnswer, KeyError, TypeError):
        return None


def rate_headers(headers: Mapping[str, str]) -> RateHeaders:
    """Read `x-rate-limit-*` (minute) and `x-quota-*` (hour); resets are epoch milliseconds.

    They are told by our own clock, whatever that of the server says.
    """
    lead_seconds = our_lead_seconds(headers)
    minute, hour = (
        [_number(headers.get(f"{name}-{part}")) for part in ("limit", "remaining", "reset")]
        for name in ("x-rate-limit", "x-quota")
    )
    return RateHeaders(
        limit_per_minute=minute[0] or None,
        remaining=None if minute[1] is None else int(minute[1]),
        reset_epoch_seconds=None if minute[2] is None else minute[2] / 1000 + lead_seconds,
        limit_per_hour=hour[0] or None,
        hour_remaining=None if hour[1] is None else int(hour[1]),
        hour_reset_epoch_seconds=None if hour[2] is None else hour[2] / 1000 + lead_seconds,
    )


def _pause_seconds(headers: Mapping[str, str], rate: RateHeaders) -> float | None:
    if (retry_after := _number(headers.get("Retry-After"))) is not None:
        return retry_after
    if (moment := moment_in(headers, "Retry-After")) is not None:
        return moment.timestamp() + our_lead_seconds(headers) - time.time()
    if rate.reset_epoch_seconds is not None:
        return rate.reset_epoch_seconds - time.time()
    return None


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if 0 <= number < 1e15 else None  # noqa: PLR2004  # beyond any epoch in ms
