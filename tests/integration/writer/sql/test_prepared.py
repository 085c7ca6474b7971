"""Statements that are planned once for a connection."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text

from services.writer.sql.prepared import Prepared
from tests.integration.writer.desk import Desk

_COUNT = Prepared(
    "count_unites", "SELECT count(*) FROM unites_legales WHERE siren = :siren AND nom = :nom"
)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection


def _names(connection: Connection) -> list[str]:
    return list(connection.execute(text("SELECT name FROM pg_prepared_statements")).scalars())


def test_it_is_prepared_when_it_is_first_run_and_then_no_more(connection: Connection) -> None:
    for _ in range(3):
        assert _COUNT.run(connection, {"siren": "1", "nom": None}).scalar_one() == 0
    assert _names(connection) == ["count_unites"]


def test_it_outlives_the_transaction_that_prepared_it(connection: Connection) -> None:
    _COUNT.run(connection, {"siren": "1", "nom": None})
    connection.rollback()
    assert _COUNT.run(connection, {"siren": "1", "nom": None}).scalar_one() == 0


def test_a_connection_that_was_lost_is_prepared_anew(engine: Engine) -> None:
    with engine.connect() as connection:
        _COUNT.run(connection, {"siren": "1", "nom": None})
        connection.invalidate()
    with engine.connect() as connection:
        assert _COUNT.run(connection, {"siren": "1", "nom": None}).scalar_one() == 0


@pytest.mark.one_role
def test_what_comes_first_is_seen_by_the_statement(connection: Connection) -> None:
    """The second statement is in the same round trip, but not in the same snapshot."""
    counted = Prepared(
        "count_runs",
        "SELECT count(*) FROM import_runs",
        first=[Prepared("begin_run", "INSERT INTO import_runs DEFAULT VALUES")],
    )
    assert counted.run(connection).scalar_one() == 1


def test_a_plan_made_for_an_empty_table_does_not_stay(connection: Connection, desk: Desk) -> None:
    """A plan made on an empty, analysed table would read the whole table for one key."""
    desk.execute("ANALYZE unites_legales")
    connection.execute(text("SET plan_cache_mode = force_generic_plan"))
    _COUNT.run(connection, {"siren": "1", "nom": None})
    desk.execute("""
        INSERT INTO unites_legales (siren, statut_diffusion, content_hash, fetched_at)
        SELECT lpad(n::text, 9, '0'), 'O', '', now() FROM generate_series(1, 20000) n
    """)
    plan = "EXPLAIN EXECUTE count_unites ('1', NULL)"
    for _ in range(20):
        _COUNT.run(connection, {"siren": "1", "nom": None})
    assert "Index Scan" in "".join(connection.execute(text(plan)).scalars())
