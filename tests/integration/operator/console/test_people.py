"""People who object: their messages, what is held about them, and its end."""

import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from services.writer.erasure.orders import ErasureOrders
from shared.clock import Clock
from tests.integration.operator.console.conftest import LogIn

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register

SIREN = "000000001"
UNIT = f"/personnes/unite/{SIREN}"


@pytest.fixture
def report(register: "Register", reviewers_desk: "Desk") -> int:
    reviewers_desk.store(*reviewers_desk.claim(register.add(range(1, 3))))
    register.execute(
        "INSERT INTO page_reports (siret, siren, kind, message, contact) VALUES"
        " ('00000000100011', '000000001', 'opposition', 'Retirez-moi <b>vite</b>', 'a@example.org')"
    )
    [row] = register.rows("SELECT id FROM page_reports")
    return int(row["id"])


def test_messages_are_read_and_closed(log_in: LogIn, register: "Register", report: int) -> None:
    editor = log_in("editor")
    page = editor.get("/personnes")
    assert "Retirez-moi <b>vite</b>" in page.words
    assert "<b>vite" not in page.text
    assert "a@example.org" in page.words
    path = f"/personnes/signalements/{report}"
    assert "Le message est classé." in editor.post(path).words
    assert "déjà classé" in editor.post(path).words
    [row] = register.rows("SELECT done_at IS NOT NULL AS is_done FROM page_reports")
    assert row["is_done"]
    assert "Aucun message n’attend." in editor.get("/personnes").words
    journal = editor.get("/journal").words
    assert f"reports.close report {report}" in journal
    assert "example" not in journal


def test_a_unit_is_forgotten_after_a_question_by_a_writer(
    log_in: LogIn, engine: Engine, register: "Register", report: int
) -> None:
    assert report
    editor = log_in("editor")
    assert f"Unité {SIREN}" in editor.get("/personnes/unite?siren=000+000+001").words
    assert "Dites pourquoi" in editor.post(f"{UNIT}/oubli").words
    asked = editor.post(f"{UNIT}/oubli", {"motif": "dossier 12"}).words
    assert "Effacer tout ce qui est détenu" in asked
    assert register.rows("SELECT 1 FROM erasure_orders") == []
    told = editor.post(f"{UNIT}/oubli", {"motif": "dossier 12", "confirme": "oui"}).words
    assert "attend un rédacteur du registre" in told
    ErasureOrders([engine], Clock()).step()
    page = editor.get(UNIT).words
    assert "Opposition enregistrée" in page
    assert "dossier 12" in page
    listed = editor.get("/personnes").words
    assert "Aucun message n’attend." in listed
    assert f"{SIREN} dossier 12" in listed
    assert "fait" in listed
    assert f"forget siren {SIREN} order" in editor.get("/journal").words


def test_what_is_held_is_given_as_a_file_and_noted(log_in: LogIn, report: int) -> None:
    assert report
    editor = log_in("editor")
    editor.get(UNIT)
    answer = editor.post(f"{UNIT}/export")
    assert answer.headers["content-type"] == "application/json"
    assert f"sirenade-{SIREN}.json" in answer.headers["content-disposition"]
    held = json.loads(answer.body)["detenu"]
    assert held["unites_legales"][0]["denomination"] == "ATELIER DUPONT 1"
    assert held["page_reports"][0]["contact"] == "a@example.org"
    assert "ATELIER DUPONT 2" not in answer.text
    assert f"people.export siren {SIREN}" in editor.get("/journal").words


@pytest.mark.parametrize("role", ["reader", "operator"])
def test_people_are_for_those_who_answer_them(role: str, log_in: LogIn) -> None:
    visitor = log_in(role)
    for path in ("/personnes", UNIT):
        assert visitor.get(path).status == 403
    for path in (f"{UNIT}/oubli", f"{UNIT}/export"):
        assert visitor.post(path, {"motif": "x", "confirme": "oui"}).status == 403
