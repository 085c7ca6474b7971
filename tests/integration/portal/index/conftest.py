"""Fixtures of the index: a register to write into, and what the index has of it."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text

from services.portal.index import check
from services.portal.index.check import IndexDifferences
from tests.integration.writer.desk import Desk, desk_on
from tests.integration.writer.index_pages import index_pages
from tests.integration.writer.records import Records

Step = Callable[[], IndexDifferences]


@pytest.fixture
def desk(engine: Engine) -> Iterator[Desk]:
    with desk_on(engine, ()) as desk:
        yield desk


@pytest.fixture(scope="session")
def records() -> Records:
    return Records()


@pytest.fixture
def step(engine: Engine) -> Step:
    """Let the indexer do its step; return what sets index and register apart afterwards."""

    def do() -> IndexDifferences:
        index_pages([engine])
        return compared(engine)

    return do


def compared(engine: Engine) -> IndexDifferences:
    with engine.connect() as connection:
        snapshot = connection.execution_options(isolation_level="REPEATABLE READ")
        return check.compare(snapshot)


def lexicon(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT lexeme, documents FROM search_lexemes"))
        return {row.lexeme: row.documents for row in rows}


def indexed(engine: Engine) -> dict[str, tuple[str | None, bool]]:
    """Return name and state of each entry by its siret."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT siret, nom, open FROM search_entries"))
        return {row.siret: (row.nom, row.open) for row in rows}
