"""The sitemap, made from the table at each request: nothing erased survives in a file.

A file has a range of ids of pages. The ids of shards do not overlap, so that a range is of one.
"""

import gzip
from collections.abc import AsyncIterator, Sequence
from html import escape
from io import BytesIO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from services.portal.pages.documents import Documents
from services.portal.pages.statements import (
    SITEMAP_PAGES,
    SITEMAP_RANGE_EXISTS,
    SITEMAP_RANGES,
)
from services.portal.web.connections import Connections, PortalDatabases, Row
from services.portal.web.problems import Problem

# The most that the protocol of sitemaps allows.
IDS_PER_FILE = 50_000
# A statement ends within its time, however slow the disk is.
_IDS_PER_STATEMENT = 5_000
_MOST_FILES = 50_000
_MOST_NUMBER = (1 << 63) // IDS_PER_FILE - 1
_XML = "application/xml; charset=utf-8"
_ASK_FIRST = {"Cache-Control": "no-cache"}
_SCHEMA = "http://www.sitemaps.org/schemas/sitemap/0.9"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Sitemaps:
    def __init__(self, databases: PortalDatabases, documents: Documents) -> None:
        self._databases = databases
        self._documents = documents

    def routes(self) -> Sequence[BaseRoute]:
        return (
            Route("/sitemap.xml", self.index),
            Route("/sitemaps/{number:int}.xml.gz", self.file),
        )

    async def index(self, _request: Request) -> Response:
        found = await self._databases.each(SITEMAP_RANGES, (IDS_PER_FILE,))
        numbers = sorted({number for rows in found for (number,) in rows})[:_MOST_FILES]
        address = escape(self._documents.address_of("/sitemaps"))
        entries = "".join(
            f"<sitemap><loc>{address}/{number}.xml.gz</loc></sitemap>\n" for number in numbers
        )
        content = f'{_HEAD}<sitemapindex xmlns="{_SCHEMA}">\n{entries}</sitemapindex>\n'
        return Response(content, media_type=_XML, headers=_ASK_FIRST)

    async def file(self, request: Request) -> Response:
        number: int = request.path_params["number"]
        shard = await self._shard_with(number)
        if shard is None:
            raise Problem(404)
        return StreamingResponse(
            self._compressed(shard, number), media_type="application/gzip", headers=_ASK_FIRST
        )

    async def _shard_with(self, number: int) -> Connections | None:
        if number >= _MOST_NUMBER:
            return None
        for shard in self._databases.shards:
            first = number * IDS_PER_FILE
            if await shard.run(SITEMAP_RANGE_EXISTS, (first, first + IDS_PER_FILE)):
                return shard
        return None

    async def _compressed(self, shard: Connections, number: int) -> AsyncIterator[bytes]:
        buffer = BytesIO()
        with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=6, mtime=0) as file:
            file.write(f'{_HEAD}<urlset xmlns="{_SCHEMA}">\n'.encode())
            first = number * IDS_PER_FILE
            for begin in range(first, first + IDS_PER_FILE, _IDS_PER_STATEMENT):
                allowed = self._documents.index_sole_traders
                asked = (begin, begin + _IDS_PER_STATEMENT, allowed)
                file.write(self._entries(await shard.run(SITEMAP_PAGES, asked)))
                yield _taken(buffer)
            file.write(b"</urlset>\n")
        yield _taken(buffer)

    def _entries(self, rows: Sequence[Row]) -> bytes:
        address = escape(self._documents.address_of("/pages"))
        return "".join(
            f"<url><loc>{address}/{slug}</loc><lastmod>{day}</lastmod></url>\n"
            for slug, day in rows
        ).encode()


def _taken(buffer: BytesIO) -> bytes:
    """Take out what was compressed so far."""
    content = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return content
