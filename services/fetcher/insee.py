"""INSEE's API: one GET, its envelope, and what its errors mean.

InseeError
├── QuotaExceeded   429: everybody slows down, nothing fails
├── KeyRefused      401, 403 without a header block: nothing can go on until the key is right
├── QueryRefused    400, 406, 414 and the like: ours to repair, never sent again as it is
└── NoGoodAnswer    5xx, cut, late, too long or malformed: ask again later
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from shared.days import FRANCE
from shared.errors import SirenadeError
from shared.sirene.identifiers import is_siren, is_siret

KEY_HEADER = "X-INSEE-Api-Key-Integration"
# A page of 1000 records is about 4 MB; what is ten times that is not a page.
MAX_BODY_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_CONNECT_TIMEOUT_SECONDS = 5
_COLLECTIONS = {"Établissements": "etablissements", "Unités Légales": "unites_legales"}


class InseeError(SirenadeError):
    """Base of what INSEE, or the way to it, can do to a request; status 0: no answer at all."""

    outcome = "no_answer"

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class QuotaExceeded(InseeError):
    """Raised on a 429, with the pause it asks for where it asks for one."""

    outcome = "throttled"

    def __init__(self, retry_after_seconds: float | None) -> None:
        super().__init__("INSEE says that the quota is used up (429)", status=429)
        self.retry_after_seconds = retry_after_seconds


class KeyRefused(InseeError):
    """Raised when INSEE does not accept the API key."""

    outcome = "refused"


class QueryRefused(InseeError):
    """Raised when INSEE understands the request and refuses it."""

    outcome = "refused"


class NoGoodAnswer(InseeError):
    """Raised when there was no answer, or none that can be used."""

    def __init__(self, outcome: str, message: str, *, status: int = 0) -> None:
        super().__init__(message, status=status)
        self.outcome = outcome


@dataclass(frozen=True)
class RateHeaders:
    """What the answer says of the quota; INSEE sends these headers or does not."""

    limit_per_minute: float | None = None
    remaining: int | None = None
    reset_epoch_seconds: float | None = None
    limit_per_hour: float | None = None
    hour_remaining: int | None = None
    hour_reset_epoch_seconds: float | None = None


@dataclass(frozen=True)
class PageAnswer:
    """One page: its records stay opaque here."""

    status: int
    total: int
    next_cursor: str | None
    records: list[Any]
    rate: RateHeaders


@dataclass(frozen=True)
class Freshness:
    """How far a collection goes, in Paris time without offset, and whether it can be asked."""

    is_up: bool
    treated_until: datetime
    made_available_at: datetime | None


@dataclass(frozen=True)
class Informations:
    """What INSEE says of its own state, by the names of `shared.delta.COLLECTIONS`."""

    status: int
    collections: Mapping[str, Freshness]
    rate: RateHeaders


@dataclass(frozen=True)
class OneAnswer:
    """What became of one number: 200 listed, 301 moved, 403 withheld, 404 unknown."""

    status: int
    moved_to: str | None
    rate: RateHeaders


class InseeClient:
    """One pooled session; no redirect and no retry of its own: each would cost a slot unseen."""

    def __init__(self, base_url: str, key: str, *, timeout_seconds: float, pool_size: int) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._session = requests.Session()
        # Neither ~/.netrc nor proxy variables may change what is sent where.
        self._session.trust_env = False
        self._session.headers.update({KEY_HEADER: key, "Accept": "application/json"})
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=pool_size, max_retries=0)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def search_siret(
        self, query: str, *, nombre: int, curseur: str | None, champs: str | None = None
    ) -> PageAnswer:
        """Search establishments; `nombre=0` without a cursor only counts. No `champs`: all."""
        wanted = {"q": query, "nombre": str(nombre), "curseur": curseur, "champs": champs}
        return self._search("/siret", "etablissements", wanted)

    def search_successions(self, query: str, *, nombre: int, curseur: str) -> PageAnswer:
        """Search links from an establishment to its successor."""
        wanted = {"q": query, "nombre": str(nombre), "curseur": curseur}
        return self._search("/siret/liensSuccession", "liensSuccession", wanted)

    def _search(self, path: str, name: str, wanted: Mapping[str, str | None]) -> PageAnswer:
        parameters = {key: value for key, value in wanted.items() if value is not None}
        status, headers, body = self._get(path, parameters)
        rate = rate_headers(headers)
        if status == requests.codes.ok:
            return _page(body, rate, name)
        if status == requests.codes.not_found and _message(body) is not None:
            return PageAnswer(status, total=0, next_cursor=None, records=[], rate=rate)
        raise _refusal(status, headers, body)

    def one(self, number: str) -> OneAnswer:
        """Ask for one siren or siret. A duplicate's number leads to another one, not followed."""
        kind = "siret" if is_siret(number) else "siren"
        status, headers, body = self._get(f"/{kind}/{number}", {})
        rate = rate_headers(headers)
        if status == requests.codes.moved_permanently:
            return OneAnswer(status, _target(headers), rate)
        has_answer = status in {requests.codes.forbidden, requests.codes.not_found}
        if status == requests.codes.ok or (has_answer and _message(body) is not None):
            return OneAnswer(status, None, rate)
        raise _refusal(status, headers, body)

    def informations(self) -> Informations:
        """Ask how far the data goes: the dates of the last treatment of each collection."""
        status, headers, body = self._get("/informations", {})
        if status != requests.codes.ok:
            raise _refusal(status, headers, body)
        return Informations(status, _freshness(body), rate_headers(headers))

    def _get(
        self, path: str, parameters: Mapping[str, str]
    ) -> tuple[int, requests.structures.CaseInsensitiveDict[str], bytes]:
        deadline_seconds = time.monotonic() + self._timeout_seconds
        try:
            with self._session.get(
                f"{self._base_url}{path}",
                params=parameters,
                timeout=(_CONNECT_TIMEOUT_SECONDS, self._timeout_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, response.headers, _read(response, deadline_seconds)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # Its text holds the URL; the class says what matters.
            raise NoGoodAnswer("no_answer", f"no answer: {type(error).__name__}") from None


def _read(response: requests.Response, deadline_seconds: float) -> bytes:
    chunks = []
    size_bytes = 0
    # read1 returns what one read of the socket brought: iter_content would wait for a whole chunk,
    # each byte of it within the timeout, and outlive the lease of the page.
    while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        size_bytes += len(chunk)
        if size_bytes > MAX_BODY_BYTES:
            raise NoGoodAnswer("malformed", f"the body exceeds {MAX_BODY_BYTES} bytes")
        if time.monotonic() > deadline_seconds:
            raise NoGoodAnswer("no_answer", "the body took too long")
        chunks.append(chunk)
    return b"".join(chunks)


def _refusal(
    status: int, headers: requests.structures.CaseInsensitiveDict[str], body: bytes
) -> InseeError:
    """What an answer means that brings nothing."""
    if status == requests.codes.too_many_requests:
        return QuotaExceeded(_pause_seconds(headers, rate_headers(headers)))
    if status in {requests.codes.unauthorized, requests.codes.forbidden}:
        return KeyRefused(
            f"INSEE refuses the API key ({status}): set SIRENADE_INSEE_KEY", status=status
        )
    if status >= requests.codes.internal_server_error:
        return NoGoodAnswer("unavailable", f"INSEE answers {status}", status=status)
    if status == requests.codes.not_found:
        # Not INSEE's 404: something on the way there has no such page.
        return NoGoodAnswer(
            "unavailable", "404 without INSEE's header: is the base URL right?", status=status
        )
    message = _message(body) or "no message"
    return QueryRefused(f"INSEE answers {status}: {message}", status=status)


def _target(headers: requests.structures.CaseInsensitiveDict[str]) -> str:
    target = headers.get("Location", "").rpartition("/")[2]
    if not is_siren(target) and not is_siret(target):
        raise NoGoodAnswer("malformed", "a redirection that leads to no number", status=301)
    return target


def _page(body: bytes, rate: RateHeaders, name: str) -> PageAnswer:
    content = _loads(body)
    if not isinstance(content, dict) or not isinstance(header := content.get("header"), dict):
        raise NoGoodAnswer("malformed", "the answer has no header")
    total, next_cursor = header.get("total"), header.get("curseurSuivant")
    records = content.get(name, [])
    if type(total) is not int or total < 0 or not isinstance(records, list):
        raise NoGoodAnswer("malformed", "the answer's header or records are not as documented")
    if next_cursor is not None and not isinstance(next_cursor, str):
        raise NoGoodAnswer("malformed", "the answer's next cursor is not a string")
    return PageAnswer(requests.codes.ok, total, next_cursor, records, rate)


def _freshness(body: bytes) -> dict[str, Freshness]:
    content = _loads(body)
    try:
        states = {
            each["Collection"]: each["etatCollection"] for each in content["etatsDesServices"]
        }
        dates = {each["collection"]: each for each in content["datesDernieresMisesAJourDesDonnees"]}
        found = {
            name: Freshness(
                is_up=content["etatService"] == "UP" and states[theirs] == "UP",
                treated_until=_paris_time(dates[theirs]["dateDernierTraitementMaximum"]),
                made_available_at=_paris_time(dates[theirs]["dateDerniereMiseADisposition"]),
            )
            for theirs, name in _COLLECTIONS.items()
        }
    except (KeyError, TypeError, ValueError):
        raise NoGoodAnswer("malformed", "/informations is not as documented") from None
    # Believed, a slip like 2996 would leave nothing to bring for centuries.
    if max(each.treated_until.year for each in found.values()) > datetime.now(FRANCE).year + 1:
        raise NoGoodAnswer("malformed", "/informations names a year that is far from now")
    return found


def _paris_time(value: str) -> datetime:
    """As INSEE sends dates: no offset; one that came with an offset is put the same way."""
    instant = datetime.fromisoformat(value)
    return instant if instant.tzinfo is None else instant.astimezone(FRANCE).replace(tzinfo=None)


def _loads(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    # orjson refuses lone surrogates, which one bad name is enough to bring: take them out.
    try:
        text = body.decode("utf-8", errors="replace")
        clean = json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", errors="replace")
        return orjson.loads(clean)
    except (ValueError, RecursionError):
        raise NoGoodAnswer("malformed", "the answer is not JSON") from None


def _message(body: bytes) -> str | None:
    """Return INSEE's own message from an error's header block, if that is what the body is."""
    try:
        header = orjson.loads(body)["header"]
        return str(header["message"])[:500]
    except (ValueError, KeyError, TypeError):
        return None


def rate_headers(headers: requests.structures.CaseInsensitiveDict[str]) -> RateHeaders:
    """Read `x-rate-limit-*` (minute) and `x-quota-*` (hour); resets are epoch milliseconds."""
    minute, hour = (
        [_number(headers.get(f"{name}-{part}")) for part in ("limit", "remaining", "reset")]
        for name in ("x-rate-limit", "x-quota")
    )
    return RateHeaders(
        limit_per_minute=minute[0] or None,
        remaining=None if minute[1] is None else int(minute[1]),
        reset_epoch_seconds=None if minute[2] is None else minute[2] / 1000,
        limit_per_hour=hour[0] or None,
        hour_remaining=None if hour[1] is None else int(hour[1]),
        hour_reset_epoch_seconds=None if hour[2] is None else hour[2] / 1000,
    )


def _pause_seconds(
    headers: requests.structures.CaseInsensitiveDict[str], rate: RateHeaders
) -> float | None:
    if (retry_after := _number(headers.get("Retry-After"))) is not None:
        return retry_after
    if rate.reset_epoch_seconds is not None:
        return rate.reset_epoch_seconds - time.time()
    return None


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if 0 <= number < 1e15 else None  # noqa: PLR2004  # beyond any epoch in ms
