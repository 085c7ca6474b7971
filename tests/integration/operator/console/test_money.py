"""Money in the console: seen by all, steered by operators, and never raised by a slip."""

from typing import TYPE_CHECKING

import pytest

from tests.integration.operator.console.conftest import LogIn

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register


def budget(register: "Register") -> tuple[str, str]:
    [row] = register.rows("SELECT status, cap_eur::numeric(12, 2)::text AS cap FROM review_budget")
    return row["status"], row["cap"]


@pytest.mark.one_role
def test_the_cap_is_set_after_a_question_and_noted(log_in: LogIn, register: "Register") -> None:
    operator = log_in("operator")
    operator.get("/argent")
    asked = operator.post("/argent/reprise", {"plafond": "12,50 €"}).words
    assert "Écrire les textes jusqu’à 12,50 € en tout ?" in asked
    assert budget(register)[1] == "0.00"
    done = operator.post("/argent/reprise", {"plafond": "12,50 €", "confirme": "oui"}).words
    assert "Les textes continuent." in done
    assert budget(register) == ("running", "12.50")
    assert "Aucun texte ne commence plus." in operator.post("/argent/pause").words
    assert budget(register) == ("paused", "12.50")
    journal = operator.get("/journal").words
    assert "avis.pause" in journal
    assert "avis.resume cap 12.50" in journal


def test_a_cap_that_cannot_hold_is_refused_in_french(log_in: LogIn, register: "Register") -> None:
    register.execute("UPDATE review_budget SET spent_eur = 20, cap_eur = 30")
    operator = log_in("operator")
    operator.get("/argent")
    for typed, told in (("19", "au-dessous"), ("beaucoup", "Un plafond est une somme")):
        answer = operator.post("/argent/reprise", {"plafond": typed, "confirme": "oui"})
        assert (answer.status, told in answer.words) == (400, True)
    assert budget(register)[1] == "30.00"


def test_whoever_reads_sees_money_and_changes_nothing(log_in: LogIn, register: "Register") -> None:
    register.add(range(1, 4))
    register.execute(
        "INSERT INTO review_providers (name, listed, model, weight, max_parallel, charges,"
        " spent_eur) VALUES ('alpha', true, 'm', 1, 1, true, 2)"
    )
    reader = log_in("reader")
    page = reader.get("/argent").words
    for told in ("Dépensé", "alpha", "Textes à écrire 3", "Aucun lot"):
        assert told in page, told
    assert "Reprendre" not in page
    assert "Aucun texte de alpha n’est connu" in reader.get("/argent/prevision").words
    for path in ("/argent/pause", "/argent/reprise"):
        assert reader.post(path, {"confirme": "oui"}).status == 403
