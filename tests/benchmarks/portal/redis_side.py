"""The pages of a file from Redis with an hour's TTL: the least that such a cache costs.

It runs in an environment of its own, made from requirements/redis.txt, by uvicorn. Nothing here
asks the database: a page that was erased would be shown until its hour is over.
"""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import redis.asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_TTL_SECONDS = 3600
_pages = json.loads(Path(os.environ["REDIS_PAGES"]).read_text(encoding="utf-8"))
"""The answers of the portal: `{path: [etag, body]}`."""
_cache = redis.asyncio.Redis(port=int(os.environ["REDIS_PORT"]), max_connections=64)


@asynccontextmanager
async def _filled(_: Starlette) -> AsyncIterator[None]:
    for path, (etag, body) in _pages.items():
        await _cache.set(path, f"{etag}\n{body}", ex=_TTL_SECONDS)
    yield
    await _cache.aclose()


async def _page(request: Request) -> Response:
    kept = await _cache.get(request.url.path)
    if kept is None:
        return Response(status_code=404)
    etag, _, body = kept.partition(b"\n")
    headers = {"ETag": etag.decode(), "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/html", headers=headers)


app = Starlette(routes=[Route("/{path:path}", _page)], lifespan=_filled)
