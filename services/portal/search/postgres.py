"""The engine that searches in PostgreSQL itself: beside the register, with no server of its own."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from services.portal.search.answer import SearchAnswer
from services.portal.search.asked import Asked
from services.portal.search.engine import MOST_SUGGESTIONS, Filters, Found, Hit, Search
from services.portal.search.lexicon import Ask
from services.portal.search.source import EntrySource, GinSource

_TOTAL = """
    SELECT CAST(greatest(reltuples, 0) AS bigint) FROM pg_class
    WHERE oid = CAST('search_entries' AS regclass)
"""
_TOTAL_KEPT_SECONDS = 60.0
_LEAST_TOTAL = 1000

T = TypeVar("T")


class SearchSession(Protocol):
    """A connection to one shard."""

    def rows(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]: ...


class SearchShard(Protocol):
    """The connections to one shard; they raise SlowDown where it is away or takes too long."""

    async def run(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]: ...

    async def call(self, work: Callable[[Any], T]) -> T: ...


class PostgresEngine:
    """Searches in the shards of the register; `source` finds the entries that have words."""

    def __init__(
        self, shards: Sequence[SearchShard], source: Callable[[Ask], EntrySource] = GinSource
    ) -> None:
        self._shards = tuple(shards)
        self._source = source
        self._total = (0, float("-inf"))

    async def find(self, search: Search) -> Found:
        """Answer a search. Raises UnknownPlace for a cursor of another search."""
        return await self._do(lambda ask: self._answer(ask, search).found())

    async def suggest(
        self, q: str, *, code_commune: str | None = None, limit: int = MOST_SUGGESTIONS
    ) -> Sequence[Hit]:
        """Return pages whose names go on as `q` begins, the largest first."""
        filters = Filters(code_commune=(code_commune,) if code_commune else (), etat="A")
        search = Search(q=q, filters=filters, limit=limit)
        if not Asked.of(q).words:
            return ()
        return await self._do(lambda ask: self._answer(ask, search).beginnings())

    def _answer(self, ask: Ask, search: Search) -> SearchAnswer:
        return SearchAnswer(ask, self._source(ask), search, self._entries(ask))

    async def _do(self, work: Callable[[Ask], T]) -> T:
        """Do the work in the thread of a connection; with other servers in one of its own.

        No connection is held while another server is waited for.
        """
        if len(self._shards) == 1 and self._source is GinSource:
            return await self._shards[0].call(lambda session: work(session.rows))
        loop = asyncio.get_running_loop()

        def ask(statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
            asked = [
                asyncio.run_coroutine_threadsafe(shard.run(statement, parameters), loop)
                for shard in self._shards
            ]
            return [row for each in asked for row in each.result()]

        return await asyncio.to_thread(work, ask)

    def _entries(self, ask: Ask) -> int:
        """Return the number of all entries, as of a minute ago: it weighs words."""
        total, at = self._total
        now = time.monotonic()
        if now - at > _TOTAL_KEPT_SECONDS:
            total = max(sum(row[0] for row in ask(_TOTAL, ())), _LEAST_TOTAL)
            self._total = (total, now)
        return total
