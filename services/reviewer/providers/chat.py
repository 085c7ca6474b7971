"""One call to an OpenAI-compatible server: `POST {base_url}/chat/completions`.

ChatError
├── RateLimited     429: the gate pauses all callers
├── Transient       another try may succeed
├── BadRequest      this request will never succeed
└── ChatRefused     no request will succeed until a person changes something

No message holds a key, a body or a text: servers quote keys in their errors. Of a request that is
refused it tells the server's own reason, without what looks like a key.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson

from services.reviewer.providers.answers import (
    FILTERED,
    SCHEMA,
    UNFIT_STATUSES,
    ModelAnswer,
    read_answer,
    read_failure,
)
from services.reviewer.providers.bill import Messages
from services.reviewer.providers.settings import Provider, StructuredOutput
from shared.errors import SirenadeError, UserError
from shared.http.client import Bounds, HttpAnswer, HttpClient
from shared.http.dates import moment_in
from shared.http.egress import Egress
from shared.http.errors import HttpError, Unsendable, Untrusted
from shared.http.reasons import blames_key, reason_in
from shared.inputs import read_text

_MOST_BYTES = 1 << 20
# A server that names less is asked too soon, one that names more is asked nevertheless.
_LEAST_RETRY_AFTER_SECONDS = 0.25
_MOST_RETRY_AFTER_SECONDS = 900.0
# A date that only our own clock can read may be wrong by all that this clock is.
_MOST_BY_OUR_CLOCK_SECONDS = 60.0
_OVERLOADED = frozenset({408, 500, 502, 503, 504, 520, 522, 524, 529})
# A server in between waited no longer: the one behind it may have written the text.
_PERHAPS_BILLED = frozenset({408, 504, 520, 522, 524})
# Sent as a 429, but no wait helps: the account is empty.
_ACCOUNT_EMPTY = re.compile(rb'"(?:insufficient_quota|billing_hard_limit_reached)"')
_ADVICE = {
    401: "its key is refused",
    402: "the account is empty",
    403: "its key may not do this",
    404: "no such address or model",
    429: "the account is empty",
}

_NO_CHAT_SERVER = "not an answer of a chat server"

_RESPONSE_FORMATS: Mapping[StructuredOutput, object] = {
    "json_schema": {
        "type": "json_schema",
        "json_schema": {"name": "notice", "strict": True, "schema": SCHEMA},
    },
    "json_object": {"type": "json_object"},
}


class ChatError(SirenadeError):
    """Base of the errors of a call that brings no answer.

    `billed` is true when the server may have written the text nevertheless, and `failure` is what
    it sent in place of an answer; `retry_after_seconds` is None when it names no time.
    """

    def __init__(  # noqa: PLR0913  # what is known of a failed call
        self,
        message: str,
        *,
        billed: bool = False,
        filtered: bool = False,
        retry_after_seconds: float | None = None,
        headers: Mapping[str, str] | None = None,
        failure: ModelAnswer | None = None,
    ) -> None:
        super().__init__(message)
        self.billed = billed
        self.failure = failure
        self.filtered = filtered
        self.retry_after_seconds = retry_after_seconds
        self.headers = headers


class RateLimited(ChatError):
    """Raised for a 429."""


class Transient(ChatError):
    """Raised for an overloaded server, a cut connection or an answer that does not come."""


class BadRequest(ChatError):
    """Raised when the server finds fault with the request, or with its content (`filtered`)."""


class ChatRefused(ChatError):
    """Raised when the server refuses every request: a wrong key, address or model."""


@dataclass(frozen=True, slots=True)
class Reply:
    answer: ModelAnswer
    headers: Mapping[str, str]


class Chat:
    """Thread-safe. One pool of connections for all callers of a process; no retries."""

    def __init__(self, provider: Provider, egress: Egress | None = None) -> None:
        """Raises UserError where the key cannot be read."""
        self.provider = provider
        self._url = f"{str(provider.base_url).rstrip('/')}/chat/completions"
        self._http = open_client(provider, Bounds(provider.timeout_seconds, _MOST_BYTES), egress)

    def post(self, messages: Messages, structured_output: StructuredOutput) -> Reply:
        """Send the messages and read the answer. Raises ChatError."""
        name = self.provider.name
        payload = payload_of(self.provider, messages, structured_output)
        with translated(name):
            answer = self._http.ask("POST", self._url, data=orjson.dumps(payload))
        if answer.status != HTTPStatus.OK:
            raise error_of(name, answer, self._http.redacted)
        found = read_answer(answer.body, structured_output)
        if found.failed:
            raise Transient(f"{name}: HTTP 200 without an answer", failure=found)
        return Reply(found, answer.headers)

    def close(self) -> None:
        self._http.close()


def open_client(provider: Provider, bounds: Bounds, egress: Egress | None) -> HttpClient:
    """Raises UserError where the key cannot be read."""
    key = read_key(provider)
    return HttpClient(
        bounds,
        pool_size=provider.max_parallel,
        egress=egress,
        headers={"Content-Type": "application/json"},
        secret_headers={} if key is None else {"Authorization": f"Bearer {key}"},
    )


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn errors of HTTP into a ChatError that names this provider."""
    try:
        yield
    except (Untrusted, Unsendable) as error:
        raise ChatRefused(f"{name}: {error}") from None
    except HttpError as error:
        raise Transient(f"{name}: {error}", billed=error.sent) from None


def payload_of(
    provider: Provider, messages: Messages, structured_output: StructuredOutput
) -> dict[str, Any]:
    """Return the request for one text, the same for a call and for a batch."""
    payload: dict[str, Any] = {
        "model": provider.model,
        "messages": messages,
        provider.max_tokens_name: provider.max_tokens,
    }
    if provider.temperature != "default":
        payload["temperature"] = provider.temperature
    if structured_output in _RESPONSE_FORMATS:
        payload["response_format"] = _RESPONSE_FORMATS[structured_output]
    return payload


def read_key(provider: Provider) -> str | None:
    """Read the key. Raises UserError that names the file, never its content."""
    if provider.key_file is None:
        return None
    key = read_text(provider.key_file).strip()
    if re.fullmatch(r"[\x21-\x7e]+", key) is None:
        raise UserError(f"{provider.key_file}: holds no key: one word on one line")
    return key


def error_of(name: str, answer: HttpAnswer, redacted: Callable[[str], str]) -> ChatError:
    status, headers, body = answer.status, answer.headers, answer.body
    retry_after = read_retry_after(headers)
    message = f"{name}: HTTP {status}"
    if status == HTTPStatus.TOO_MANY_REQUESTS and not _ACCOUNT_EMPTY.search(body):
        return RateLimited(message, retry_after_seconds=retry_after, headers=headers)
    failure = read_failure(body)
    if status in _OVERLOADED:
        billed = status in _PERHAPS_BILLED
        return Transient(message, billed=billed, retry_after_seconds=retry_after, failure=failure)
    reason = reason_in(body, redacted)
    if status in UNFIT_STATUSES and not blames_key(reason):
        filtered = FILTERED.search(body) is not None
        told = f"{message}: {reason}" if reason else message
        return BadRequest(told, filtered=filtered, failure=failure)
    advice = _ADVICE[401] if blames_key(reason) else _ADVICE.get(status, _NO_CHAT_SERVER)
    return ChatRefused(f"{message}: {advice}" + (f" ({reason})" if reason else ""))


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return Retry-After in seconds, within bounds; None where it names no time to come.

    Servers write seconds, milliseconds or a date, which is read by their own clock.
    """
    for name, per_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        if re.fullmatch(r"\d{1,9}(?:\.\d+)?", value := headers.get(name, "")):
            return _within(float(value) / per_second, _MOST_RETRY_AFTER_SECONDS)
    moment, theirs = moment_in(headers, "retry-after"), moment_in(headers, "date")
    if moment is None:
        return None
    now, most = theirs, _MOST_RETRY_AFTER_SECONDS
    if now is None:
        now, most = dt.datetime.now(dt.UTC), _MOST_BY_OUR_CLOCK_SECONDS
    return _within((moment - now).total_seconds(), most)


def _within(seconds: float, most: float) -> float | None:
    return min(max(seconds, _LEAST_RETRY_AFTER_SECONDS), most) if seconds > 0 else None
