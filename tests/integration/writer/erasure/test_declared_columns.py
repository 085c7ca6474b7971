"""Every column of text in a live database is declared: personal, or found free of it."""

import datetime as dt
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from services.writer.slices.statements import CREATE_NEW
from services.writer.stock import staging
from services.writer.stock.columns import COLLECTIONS, StockCollection
from services.writer.stock.statements import select_due
from services.writer.trades import count_staged
from shared.db.personal_columns import FREE, PERSONAL, TWINS

_NOW = dt.datetime(2026, 8, 5, tzinfo=dt.UTC)
# Words, and what may hold words.
_COLUMNS = text("""
    SELECT c.relname, a.attname, c.relpersistence, a.attstattarget
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
    WHERE c.relkind IN ('r', 'p', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
      AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')
      AND (coalesce(e.typcategory, t.typcategory) = 'S'
        OR coalesce(e.typname, t.typname) IN (
          'json', 'jsonb', 'bytea', 'xml', 'hstore', 'tsvector'))
""")


def _load(collection: StockCollection, way: str) -> Any:
    return SimpleNamespace(
        collection=collection, way=way, staging=f"stock_{collection}", fetched_at=_NOW
    )


@pytest.fixture(params=["swap", "merge"])
def connection(request: pytest.FixtureRequest, engine: Engine) -> Iterator[Connection]:
    """Return a connection in the midst of all work: with staging and temporary tables."""
    with engine.connect() as connection:
        connection.execute(CREATE_NEW)
        for collection in COLLECTIONS:
            load = _load(collection, request.param)
            staging.create(connection, load)
            due = select_due(collection, frozenset(), takes_equal=False)
            blocks = {"fetched_at": _NOW, "first": "(0,0)", "last": "(9,0)"}
            if collection == "etablissements":
                connection.execute(text("DROP TABLE stock_due"))
            connection.execute(due, blocks)
        count_staged(connection, "stock_etablissements")
        yield connection
        connection.rollback()


def test_every_column_of_text_is_declared_once(connection: Connection) -> None:
    undeclared, both, found = [], [], set()
    for table, column, _, _ in connection.execute(_COLUMNS).all():
        found.add(table)
        likes = TWINS.get(table, (table,))
        personal = any(column in PERSONAL.get(like, ()) for like in likes)
        free = any(column in FREE.get(like, ()) for like in likes)
        if personal and free and len(likes) == 1:
            both.append(f"{table}.{column}")
        if not (personal or free):
            undeclared.append(f"{table}.{column}")
    assert undeclared == []
    assert both == []
    assert found == {*PERSONAL, *FREE, *TWINS}, "nothing is declared that is not there"


def test_no_statistics_are_kept_of_personal_columns(connection: Connection) -> None:
    wrong = [
        f"{table}.{column}"
        for table, column, persistence, target in connection.execute(_COLUMNS).all()
        if persistence != "t"
        and (target == 0)
        != any(column in PERSONAL.get(each, ()) for each in TWINS.get(table, (table,)))
    ]
    assert wrong == []
