"""The pages of establishments: each from the cache while its rows are as they were, else made."""

import asyncio
import hashlib
from typing import NamedTuple

from services.portal.pages.bodies import Bodies
from services.portal.pages.documents import Documents
from services.portal.pages.second_level import SecondLevel
from services.portal.pages.statements import PAGE
from services.portal.pages.subject import PageRows
from services.portal.pages.versions import Versions
from services.portal.pages.view import view_of
from services.portal.web.connections import PortalDatabases, Session
from shared.metrics import Metrics


class Served(NamedTuple):
    """A page; `content` is None where the client has it already."""

    etag: str
    content: bytes | None


class PageServer:
    """Serves pages. `second_level` has what other processes made."""

    def __init__(
        self,
        databases: PortalDatabases,
        documents: Documents,
        bodies: Bodies,
        metrics: Metrics,
        second_level: SecondLevel | None = None,
    ) -> None:
        self._databases = databases
        self._documents = documents
        self._bodies = bodies
        self._metrics = metrics
        self._second_level = second_level
        self._versions = [Versions(shard, metrics) for shard in databases.shards]
        self._making: dict[tuple[str, str], asyncio.Task[PageBody | None]] = {}

    async def serve(self, slug: str, siret: str, seen: str) -> Served | None:
        """Return the open page of this slug; None where there is none.

        `seen` is the header If-None-Match: what the client has.
        """
        version = await self._versions[self._databases.number_of(siret)].of(slug)
        if version is None:
            return None
        etag = self._etag(version)
        if is_among(etag, seen):
            return Served(etag, None)
        content = self._bodies.of(slug, version)
        if content is not None:
            self._metrics.portal_pages.labels(source="cache").inc()
            return Served(etag, content)
        made = await self._made(slug, siret, version)
        return None if made is None else Served(self._etag(made.version), made.content)

    async def _made(self, slug: str, siret: str, version: str) -> "PageBody | None":
        """Make the page once for all that wait for this version of it."""
        key = (slug, version)
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.create_task(self._fetch(slug, siret, version))
            task.add_done_callback(lambda _: self._making.pop(key))
        return await asyncio.shield(task)

    async def _fetch(self, slug: str, siret: str, version: str) -> "PageBody | None":
        if self._second_level is None:
            return await self._make(slug, siret)
        content = await self._second_level.of(slug, version)
        if content is not None:
            self._keep(slug, PageBody(version, content), source="redis")
            return PageBody(version, content)
        made = await self._make(slug, siret)
        if made is not None:
            self._second_level.keep(slug, made.version, made.content)
        return made

    async def _make(self, slug: str, siret: str) -> "PageBody | None":
        # The rows may be newer than the version that was asked for: they bring their own.
        made = await self._databases.of(siret).call(lambda session: self._read(session, slug))
        if made is not None:
            self._keep(slug, made, source="rows")
        return made

    def _keep(self, slug: str, made: "PageBody", *, source: str) -> None:
        self._metrics.portal_pages.labels(source=source).inc()
        self._bodies.keep(slug, made.version, made.content)
        self._metrics.portal_cache_bytes.set(self._bodies.size_bytes)

    def _read(self, session: Session, slug: str) -> "PageBody | None":
        found = session.rows(PAGE, (slug,))
        if not found:
            return None
        rows = PageRows.of(found[0])
        view = view_of(rows, index_sole_traders=self._documents.index_sole_traders)
        return PageBody(rows.version, self._documents.page(view))

    def _etag(self, version: str) -> str:
        digest = hashlib.sha256(f"{self._documents.build}\n{version}".encode())
        return f'"{digest.hexdigest()[:32]}"'


class PageBody(NamedTuple):
    version: str
    content: bytes


def is_among(etag: str, seen: str) -> bool:
    """Return whether the client's If-None-Match names this state."""
    listed = [each.strip().removeprefix("W/") for each in seen.split(",")]
    return etag in listed or "*" in listed
