"""Imports: ordered after their cost, halted with a reason, stated, repaired."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text

from tests.integration.operator.console.conftest import LogIn

Execute = Callable[..., None]
ON_TWO_SHARDS = True


@pytest.fixture
def execute(engine: Engine) -> Execute:
    def executed(statements: str, **values: object) -> None:
        with engine.begin() as connection:
            connection.execute(text(statements), values)

    return executed


def _run(engine: Engine, run_id: int) -> dict[str, object]:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM import_runs WHERE id = :id"), {"id": run_id})
        return dict(found.mappings().one())


def _runs(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM import_runs")).scalar_one())


def test_an_import_is_ordered_after_its_cost_was_seen(
    log_in: LogIn, engine: Engine, execute: Execute
) -> None:
    execute("""
        INSERT INTO import_runs (departements, status) VALUES ('{33}', 'complete');
        INSERT INTO import_batches (run_id, number, query, status, expected)
        VALUES (1, 1, 'q', 'complete', 61200);
        INSERT INTO quota (key_fingerprint, requests_per_minute) VALUES ('k', 30)
    """)
    visitor = log_in("operator")
    visitor.get("/imports")
    question = visitor.post("/imports", {"departement": "33"}).words
    assert "Importer le département Gironde (33) ?" in question
    assert "61200 lignes, 62 requêtes, environ 3 min au quota" in question
    assert _runs(engine) == 1
    answer = visitor.post("/imports", {"departement": "33", "confirme": "oui"})
    assert "L’import 2 est commandé" in answer.words
    assert _run(engine, 2)["departements"] == ["33"]
    assert "import run 2 departement 33" in visitor.get("/journal").words


@pytest.mark.parametrize("code", ["", "999", "<b>", "33'"])
def test_a_departement_that_there_is_not_is_refused(
    log_in: LogIn, engine: Engine, code: str
) -> None:
    visitor = log_in("operator")
    assert visitor.post("/imports", {"departement": code, "confirme": "oui"}).status == 400
    assert _runs(engine) == 0


def test_a_delta_needs_a_start_and_is_ordered_once(
    log_in: LogIn, engine: Engine, execute: Execute
) -> None:
    visitor = log_in("operator")
    assert visitor.post("/imports/delta").status == 409
    execute("""
        INSERT INTO watermarks (collection, treated_until)
        VALUES ('etablissements', '2026-01-01'), ('unites_legales', '2026-01-01')
    """)
    assert "Mettre le registre à jour" in visitor.post("/imports/delta").words
    assert _runs(engine) == 0
    assert "Le delta 1 est commandé" in visitor.post("/imports/delta", {"confirme": "oui"}).words
    again = visitor.post("/imports/delta", {"confirme": "oui"})
    assert (again.status, "encore en route" in again.words) == (409, True)


def test_a_run_is_paused_resumed_and_cancelled_with_a_reason(
    log_in: LogIn, engine: Engine, execute: Execute
) -> None:
    execute("INSERT INTO import_runs (departements, status) VALUES ('{33}', 'running')")
    visitor = log_in("operator")
    visitor.get("/imports/1")
    assert visitor.post("/imports/1/pause", {"raison": " "}).status == 400
    assert "est en pause" in visitor.post("/imports/1/pause", {"raison": "La base <b>"}).words
    assert _run(engine, 1)["halted_by"] == "operator"
    shown = visitor.get("/imports/1")
    assert "par operator" in shown.words
    assert "La base &lt;b&gt;" in shown.text
    assert "continue" in visitor.post("/imports/1/reprendre").words
    question = visitor.post("/imports/1/annuler", {"raison": "Une erreur"})
    assert "pour toujours ?" in question.words
    assert _run(engine, 1)["status"] == "running"
    sure = {"raison": "Une erreur", "confirme": "oui"}
    assert "est annulé" in visitor.post("/imports/1/annuler", sure).words
    assert _run(engine, 1)["status"] == "cancelled"
    refused = visitor.post("/imports/1/reprendre")
    assert (refused.status, "was cancelled" in refused.words) == (409, True)
    journal = visitor.get("/journal").words
    for action in ("runs.pause run 1", "runs.resume run 1", "runs.cancel run 1"):
        assert action in journal


def test_a_run_is_stated_and_its_differences_repaired(
    log_in: LogIn, engine: Engine, execute: Execute
) -> None:
    execute("""
        INSERT INTO import_runs (departements, status) VALUES ('{33}', 'complete');
        INSERT INTO import_batches (run_id, number, query, status, departement, expected,
          received_distinct, missing_sirets, surplus_sirets, completed_at)
        VALUES (1, 1, 'q', 'complete', '33', 3, 3, '{00000000100001,00000000200002}', '{}', now())
    """)
    visitor = log_in("operator")
    assert "Établir l’état" in visitor.get("/imports/1").words
    stated = visitor.get("/imports/1?etat=1").words
    assert "33 3 3 1 0 2 0" in stated
    question = visitor.post("/imports/reparer", {"import": "1"}).words
    assert "2 établissements, 1 requêtes" in question
    assert _runs(engine) == 1
    answer = visitor.post("/imports/reparer", {"import": "1", "confirme": "oui"})
    assert "est commandée" in answer.words
    assert _runs(engine) == 2
    again = visitor.post("/imports/reparer", {"import": "1"})
    assert (again.status, "already" in again.words) == (409, True)


def test_a_certificate_is_repaired(log_in: LogIn, engine: Engine, execute: Execute) -> None:
    execute("""
        INSERT INTO certificates (scope, status, informations_before, missing, surplus, altered,
          missing_sirets, surplus_sirets, altered_sirets)
        VALUES ('{}', 'differ', now(), 1, 0, 1, '{00000000100001}', '{}', '{00000000200002}')
    """)
    visitor = log_in("operator")
    assert "Réparer ces écarts" in visitor.get("/imports").words
    visitor.post("/imports/reparer")
    answer = visitor.post("/imports/reparer", {"confirme": "oui"})
    assert "est commandée" in answer.words
    assert _run(engine, 2)["kind"] == "refresh"


def test_runs_and_batches_go_by_keys(log_in: LogIn, execute: Execute) -> None:
    execute("""
        INSERT INTO import_runs (departements, status)
        SELECT '{33}', 'complete' FROM generate_series(1, 45);
        INSERT INTO import_batches (run_id, number, query)
        SELECT 45, i, 'q' FROM generate_series(1, 60) i
    """)
    visitor = log_in("reader")
    first = visitor.get("/imports")
    assert 'href="/imports/45"' in first.text
    assert 'href="/imports/25"' not in first.text
    assert 'href="/imports?avant=26"' in first.text
    assert 'href="/imports/25"' in visitor.get("/imports?avant=26").text
    assert '?avant=50"' in visitor.get("/imports/45").text
    assert visitor.get("/imports/99").status == 404
    assert "Commander" not in first.words
