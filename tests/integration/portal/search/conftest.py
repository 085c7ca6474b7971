"""Fixtures of searches: an invented register, and what the engine finds in it."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine

from services.portal.search.engine import Found, Search
from services.portal.search.postgres import PostgresEngine
from tests.integration.portal.search.invented import Invented, invent, store

T = TypeVar("T")


class Session:
    """A connection that reads what is committed, as the portal's does."""

    def __init__(self, engine: Engine) -> None:
        self._raw = engine.raw_connection()
        driver: Any = self._raw.driver_connection
        self._driver = driver
        self._driver.autocommit = True

    def rows(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._driver.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    def close(self) -> None:
        self._driver.autocommit = False
        self._raw.close()


class Shard:
    """The connections to one database: one."""

    def __init__(self, engine: Engine) -> None:
        self.session = Session(engine)

    async def run(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        return self.session.rows(statement, parameters)

    async def call(self, work: Callable[[Any], T]) -> T:
        return work(self.session)


class Finder:
    """Asks the engine, and names what it finds."""

    def __init__(self, shards: Sequence[Shard], invented: Sequence[Invented]) -> None:
        self.engine = PostgresEngine(shards)
        self.invented = {each.siret: each for each in invented}

    def find(self, q: str = "", **more: Any) -> Found:
        return asyncio.run(self.engine.find(Search(q=q, **more)))

    def sirets(self, q: str = "", **more: Any) -> list[str]:
        return [hit.siret for hit in self.find(q, **more).hits]

    def suggested(self, q: str, **more: Any) -> list[str]:
        hits = asyncio.run(self.engine.suggest(q, **more))
        return [self.invented[hit.siret].nom for hit in hits]

    def walk(self, q: str = "", **more: Any) -> list[str]:
        """Follow the cursor to the end."""
        sirets: list[str] = []
        totals: set[int] = set()
        after: str | None = None
        while True:
            found = self.find(q, after=after, **more)
            sirets += [hit.siret for hit in found.hits]
            totals.add(found.total)
            if (after := found.next) is None:
                break
        assert len(totals) == 1, "each page has the total of the first"
        return sirets


@pytest.fixture
def finder(engine: Engine) -> Iterator[Finder]:
    """Return a finder in a register of three hundred."""
    invented = invent()
    store(engine, invented)
    shard = Shard(engine)
    yield Finder([shard], invented)
    shard.session.close()
