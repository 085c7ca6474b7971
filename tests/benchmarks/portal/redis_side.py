"""The pages of a file from Redis with an hour's TTL, in the portal's own frame.

It runs with the packages of requirements/redis.txt beside the project's, by uvicorn. Nothing here
asks the database: a page that was erased would be shown until its hour is over.
"""

import json
import os
from pathlib import Path

import redis
import redis.asyncio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.portal.web.answer_times import AnswerTimes
from services.portal.web.app import make_app
from services.portal.web.frame import Frame
from shared.metrics import Metrics

_TTL_SECONDS = 3600
_PORT = int(os.environ["REDIS_PORT"])

_cache = redis.asyncio.Redis(port=_PORT)


def _fill() -> None:
    """Fill Redis with the answers of the portal: `{path: [etag, body]}`."""
    pages = json.loads(Path(os.environ["REDIS_PAGES"]).read_text(encoding="utf-8"))
    with redis.Redis(port=_PORT) as filled:
        for path, (etag, body) in pages.items():
            filled.set(path, f"{etag}\n{body}", ex=_TTL_SECONDS)


async def _page(request: Request) -> Response:
    kept = await _cache.get(request.url.path)
    if kept is None:
        return Response(status_code=404)
    etag, _, body = kept.partition(b"\n")
    headers = {"ETag": etag.decode(), "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/html", headers=headers)


_fill()
_metrics = Metrics(of={"portal"}, version="benchmark")
app = make_app(
    frame=lambda inner: Frame(inner, _metrics, AnswerTimes(), most_requests=500, access_log=None),
    routes=[Route("/pages/{slug}", _page)],
)
