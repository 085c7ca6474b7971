"""Failures by cause, and thousands of them tried again by the function of the command line."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text

from services.operator.console.screens.failures import MOST_AT_ONCE
from services.operator.failures.causes import MOST_COUNTED, read_causes
from tests.integration.operator.console.conftest import LogIn

ON_TWO_SHARDS = True
_FILL = text("""
    INSERT INTO failed_items (kind, key, siren, code, message)
    SELECT 'write', lpad((:first + i)::text, 14, '0'), NULL, :code, 'Dupont'
    FROM generate_series(1, :items) i
""")
Fill = Callable[..., None]


@pytest.fixture
def fill(engine: Engine) -> Fill:
    def filled(items: int, *, code: str, first: int = 0) -> None:
        with engine.begin() as connection:
            connection.execute(_FILL, {"items": items, "code": code, "first": first})

    return filled


def _sirets(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT cardinality(sirets) FROM import_runs ORDER BY id"))
        return list(rows.scalars())


def test_causes_are_grouped_with_an_example(log_in: LogIn, fill: Fill) -> None:
    fill(3, code="invalid_date")
    fill(1, code="<b>23514</b>", first=100)
    answer = log_in("reader").get("/echecs")
    assert "invalid_date établissement 3 " in answer.words
    assert "00000000000001" in answer.words
    assert "&lt;b&gt;23514&lt;/b&gt;" in answer.text
    assert "<b>23514" not in answer.text
    # The message of an item may hold people's data.
    assert "Dupont" not in answer.text
    assert "Reprendre les" not in answer.words


def test_thousands_are_tried_again_in_one_import(log_in: LogIn, fill: Fill, engine: Engine) -> None:
    fill(2_700, code="invalid_date")
    visitor = log_in("operator")
    assert "Reprendre les 2 700" in visitor.get("/echecs").words
    answer = visitor.post("/echecs", {"genre": "write", "cause": "invalid_date"})
    assert "2700 redemandés à l’Insee par l’import 1" in answer.words
    assert "2 700 en attente d’un résultat" in answer.words
    assert "tout est repris" in answer.words
    assert _sirets(engine) == [2_700]
    assert "operator failed.retry write invalid_date: 2700" in visitor.get("/journal").words


def test_a_second_person_is_told_that_all_is_under_way(log_in: LogIn, fill: Fill) -> None:
    fill(2, code="invalid_date")
    form = {"genre": "write", "cause": "invalid_date"}
    log_in("operator").post("/echecs", form)
    other = log_in("admin")
    other.get("/echecs")
    answer = other.post("/echecs", form)
    assert (answer.status, "tout est déjà repris" in answer.words) == (409, True)


def test_an_order_takes_a_bounded_number_of_the_oldest(
    log_in: LogIn, fill: Fill, engine: Engine
) -> None:
    fill(MOST_AT_ONCE + 10, code="invalid_date")
    visitor = log_in("operator")
    assert "Reprendre les 5 000 plus anciens" in visitor.get("/echecs").words
    form = {"genre": "write", "cause": "invalid_date"}
    visitor.post("/echecs", form)
    assert "Reprendre les 10" in visitor.get("/echecs").words
    visitor.post("/echecs", form)
    assert _sirets(engine) == [MOST_AT_ONCE, 10]


def test_what_is_resolved_is_said(log_in: LogIn, fill: Fill, engine: Engine) -> None:
    fill(3, code="invalid_date")
    with engine.begin() as connection:
        connection.execute(text("UPDATE failed_items SET resolved_at = now() WHERE key LIKE '%1'"))
        connection.execute(
            text(
                "UPDATE failed_items SET resolved_at = now(), closed_because = 'opposition'"
                " WHERE key LIKE '%2'"
            )
        )
    assert "1 résolus, 1 fermés sans suite" in log_in("reader").get("/echecs").words


def test_counts_are_bounded_and_items_go_by_keys(log_in: LogIn, fill: Fill, engine: Engine) -> None:
    fill(MOST_COUNTED + 500, code="invalid_date")
    visitor = log_in("operator")
    assert "plus de 10 000" in visitor.get("/echecs").words
    with engine.connect() as connection:
        [cause] = read_causes([connection])
    assert (cause.items, cause.is_exact) == (MOST_COUNTED + 1, False)
    first = visitor.get("/echecs/cause?genre=write&cause=invalid_date")
    assert "00000000000050" in first.words
    assert "00000000000051" not in first.words
    _, _, rest = first.text.partition('rel="next" href="')
    second = visitor.get(rest.partition('"')[0].replace("&amp;", "&"))
    assert "00000000000051" in second.words


@pytest.mark.parametrize("query", ["avant=x", "avant=-1", f"avant={10**30}"])
def test_a_strange_number_is_refused(log_in: LogIn, query: str) -> None:
    assert log_in("reader").get(f"/echecs/cause?genre=write&cause=x&{query}").status == 400


def test_causes_of_two_databases_are_one(engine: Engine, fill: Fill) -> None:
    fill(2, code="invalid_date")
    with engine.connect() as one, engine.connect() as other:
        [cause] = read_causes([one, other])
    assert cause.items == 4
