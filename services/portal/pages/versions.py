"""The versions of pages, asked of PostgreSQL for all requests that wait, in one query.

A request that comes while a query is under way waits for the next one: nobody is answered by a
query that began before they asked, so that nobody sees a page older than the last commit.
"""

import asyncio

from services.portal.pages.statements import VERSIONS
from services.portal.web.connections import Connections
from shared.metrics import Metrics


class Versions:
    """The versions of the pages of one shard."""

    def __init__(self, connections: Connections, metrics: Metrics) -> None:
        self._connections = connections
        self._metrics = metrics
        self._waiting: dict[str, asyncio.Future[str | None]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def of(self, slug: str) -> str | None:
        """Return the version of the open page with this slug; None where there is none."""
        answer = self._waiting.get(slug)
        if answer is None:
            answer = self._waiting[slug] = asyncio.get_running_loop().create_future()
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        # Others may wait for the same answer.
        return await asyncio.shield(answer)

    async def _ask(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, {}
                await self._answer(asked)
        finally:
            self._asking = None

    async def _answer(self, asked: dict[str, asyncio.Future[str | None]]) -> None:
        self._metrics.portal_validations.inc()
        try:
            rows = await self._connections.run(VERSIONS, (list(asked),))
        except Exception as error:  # noqa: BLE001  # each of those who wait raises it
            for answer in asked.values():
                answer.set_exception(error)
                # One whose client has gone is asked by nobody.
                answer.exception()
            return
        found: dict[str, str] = dict(rows)
        for slug, answer in asked.items():
            answer.set_result(found.get(slug))
