"""The frame around every request: its bounds, its measures, and the headers of its answer."""

import time
from collections.abc import Sequence

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.portal.web.access_log import Access, AccessLog
from services.portal.web.answer_times import AnswerTimes
from services.portal.web.problems import MEDIA_TYPE, Problem
from shared.logs import name_of
from shared.metrics import Metrics

log = structlog.get_logger()

BODY_BYTES = 32_768
CONTENT_SECURITY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Sequence[tuple[str, str]] = (
    ("X-Content-Type-Options", "nosniff"),
    # The address of a search holds what was searched for.
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", CONTENT_SECURITY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
_UNKNOWN = "unknown"


class Frame:
    """ASGI: counts, bounds and logs each request of the application inside."""

    def __init__(
        self,
        inner: ASGIApp,
        metrics: Metrics,
        times: AnswerTimes,
        *,
        most_requests: int,
        access_log: AccessLog | None,
    ) -> None:
        self._inner = inner
        self._metrics = metrics
        self._times = times
        self._most_requests = most_requests
        self._access_log = access_log
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        answer = _Answer(send)
        began = time.perf_counter()
        self._under_way += 1
        try:
            await self._answered(scope, _bounded(receive), answer)
        except Exception as error:
            # Starlette has answered and logged it, and raises it again; else the server answers.
            if not answer.status:
                raise
            log.debug("request ended early", error=name_of(error))
        finally:
            self._under_way -= 1
            self._note(scope, answer, time.perf_counter() - began)

    async def _answered(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > BODY_BYTES:
            await _refuse(answer, Problem(413))
        elif self._under_way > self._most_requests:
            await _refuse(answer, Problem(503, "indisponible", headers={"Retry-After": "1"}))
        else:
            await self._inner(scope, receive, answer)

    def _note(self, scope: Scope, answer: "_Answer", seconds: float) -> None:
        endpoint = scope.get("endpoint")
        route = _UNKNOWN if endpoint is None else getattr(endpoint, "__name__", _UNKNOWN)
        status = answer.status or 499
        self._metrics.portal_requests.labels(route=route, status=f"{status // 100}xx").inc()
        self._metrics.portal_request_seconds.labels(route=route).observe(seconds)
        self._times.add(route, seconds)
        if self._access_log is not None:
            client = (scope.get("client") or (None,))[0]
            access = Access(
                route, scope["method"], status, round(seconds * 1000, 1), answer.body_bytes, client
            )
            self._access_log.add(access)


class _Answer:
    """Sends an answer on, with the headers that all have."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.body_bytes = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS:
                headers.setdefault(name, value)
        elif message["type"] == "http.response.body":
            self.body_bytes += len(message.get("body", b""))
        await self._send(message)


def _bounded(receive: Receive) -> Receive:
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_BYTES:
            raise Problem(413)
        return message

    return bounded


async def _refuse(answer: _Answer, problem: Problem) -> None:
    body = problem.body()
    headers = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        "connection": "close",
        "cache-control": "no-store",
        **problem.headers,
    }
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await answer({"type": "http.response.start", "status": problem.status, "headers": raw})
    await answer({"type": "http.response.body", "body": body})
