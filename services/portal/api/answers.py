"""The answers of the API: the fields that all have, and validators of copies (ETag)."""

import datetime as dt
import hashlib
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from services.portal.api.models import Reponse
from services.portal.web.freshness import RegisterFreshness

SOURCE = "Insee, Sirene"
_NO_STORE = {"Cache-Control": "no-store"}


class Stamp:
    """Says of each answer where its data come from, and until when they are complete."""

    def __init__(self, freshness: RegisterFreshness) -> None:
        self._freshness = freshness

    async def day(self) -> dt.date | None:
        return await self._freshness.day()


def fresh(answer: Reponse, headers: Mapping[str, str] | None = None) -> Response:
    """Answer what nobody may keep: what a search finds can be erased the next moment."""
    body = answer.model_dump_json().encode()
    return Response(body, headers={**_NO_STORE, **(headers or {})}, media_type="application/json")


def kept(request: Request, answer: Reponse, headers: Mapping[str, str] | None = None) -> Response:
    """Answer what may be kept and must be validated each time; 304 where the copy is the same."""
    body = answer.model_dump_json().encode()
    return validated(request, body, "application/json", headers)


def validated(
    request: Request, body: bytes, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer a body, or 304 where the sender has the same one."""
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    sent = {"ETag": etag, "Cache-Control": "no-cache", **(headers or {})}
    if has_copy(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=sent)
    return Response(body, headers=sent, media_type=media_type)


def has_copy(if_none_match: str, etag: str) -> bool:
    """Return whether a list of validators names this one; a weak one counts, as RFC 9110 says."""
    named = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return "*" in named or etag in named
