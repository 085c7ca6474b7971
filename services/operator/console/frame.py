"""The frame around every request: its host, its bound, and the headers of each answer."""

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.operator.console.origins import Origins

CONTENT_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
BODY_BYTES = 262_144
_HEADERS: Sequence[tuple[str, str]] = (
    ("Content-Security-Policy", CONTENT_SECURITY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)


class ConsoleFrame:
    """ASGI: refuses what is for another host, or too long."""

    def __init__(self, inner: ASGIApp, origins: Origins) -> None:
        self._inner = inner
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if not self._origins.is_own_host(headers) and scope["path"] != "/healthz":
            answer: ASGIApp = PlainTextResponse("Cette adresse n’est pas celle de la console.", 421)
        elif length.isdecimal() and int(length) > BODY_BYTES:
            answer = PlainTextResponse("Requête trop longue.", 413)
        else:
            answer = self._inner
        await answer(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS:
                headers.setdefault(name, value)
        await send(message)

    return sent
