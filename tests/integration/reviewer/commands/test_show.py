"""`avis show` tells all about the texts of one establishment."""

import json
from typing import TYPE_CHECKING

import pytest

from shared.db.tables import etablissements, pro_localisations, unites_legales
from tests.integration.reviewer.reviewers import Finished, run_command

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register


def show(database_url: str, *arguments: str) -> Finished:
    return run_command(database_url, "avis", "show", *arguments)


def test_facts_text_label_outcome_and_attempts_are_shown(
    register: "Register", desk: "Desk", database_url: str
) -> None:
    ids = register.add(range(1, 2), denomination="[red]L’ATELIER[/]")
    desk.store(*desk.claim(ids), reasons=("rating",))
    register.execute("UPDATE avis SET outcome = 'pending'")
    desk.store(*desk.claim(ids))
    for_people = show(database_url, "000 000 001 00011")
    assert for_people.returncode == 0, for_people.stderr
    for words in ("accepted", "Un texte sur [red]L’ATELIER[/].", "Notice.", "rating", "Bordeaux"):
        assert words in for_people.stdout
    for_programs = show(database_url, "00000000100011", "--json")
    [avis] = json.loads(for_programs.stdout)
    assert (avis["outcome"], avis["text"]) == ("accepted", "Un texte sur [red]L’ATELIER[/].")
    assert avis["label"] == "Notice."
    assert avis["facts"]["commune"] == "Bordeaux"
    assert [attempt["reasons"] for attempt in avis["attempts"]] == [["rating"], []]


def test_a_page_gets_the_text_with_label_and_provenance_as_json_ld(
    register: "Register", desk: "Desk", database_url: str
) -> None:
    nom = "</script><script>alert(1)</script>"
    desk.store(*desk.claim(register.add(range(1, 2), denomination=nom)))
    shown = show(database_url, "00000000100011", "--json-ld")
    assert shown.returncode == 0, shown.stderr
    assert "<" not in shown.stdout, "it goes into a script element"
    [work] = json.loads(shown.stdout)
    assert work["@type"] == "CreativeWork", "never a Review"
    assert (work["text"], work["creditText"]) == (f"Un texte sur {nom}.", "Notice.")
    assert work["digitalSourceType"] == "https://schema.org/AlgorithmicMediaDigitalSource"
    assert work["dateCreated"].startswith("20")
    assert work["about"]["identifier"]["value"] == "00000000100011"
    register.change(unites_legales, register.siren(1), statut_diffusion="P")
    assert json.loads(show(database_url, "00000000100011", "--json-ld").stdout) == []


@pytest.mark.parametrize("outcome", ["pending", "rejected"])
def test_a_page_keeps_its_text_until_the_successor_is_accepted(
    register: "Register", desk: "Desk", database_url: str, outcome: str
) -> None:
    ids = register.add(range(1, 2))
    desk.store(*desk.claim(ids))
    [before] = json.loads(show(database_url, "00000000100011", "--json-ld").stdout)
    register.execute(f"UPDATE avis SET outcome = '{outcome}', facts_hash = 'other'")
    assert json.loads(show(database_url, "00000000100011", "--json-ld").stdout) == [before]
    assert "until its successor is accepted" in show(database_url, "00000000100011").stdout
    register.change(pro_localisations, register.siren(1), status="closed")
    assert json.loads(show(database_url, "00000000100011", "--json-ld").stdout) == []


def test_a_page_keeps_its_text_while_nobody_understands_the_activity(
    register: "Register", desk: "Desk", database_url: str
) -> None:
    ids = register.add(range(1, 2))
    desk.store(*desk.claim(ids))
    [before] = json.loads(show(database_url, "00000000100011", "--json-ld").stdout)
    register.execute("UPDATE avis SET outcome = 'not_understood', facts_hash = 'other'")
    register.change(etablissements, register.siren(1), activite_principale="99.99X")
    assert json.loads(show(database_url, "00000000100011", "--json-ld").stdout) == [before]


def test_somebody_who_must_not_be_written_about_is_not_shown_either(
    register: "Register", database_url: str
) -> None:
    register.add(range(1, 2))
    register.change(unites_legales, register.siren(1), statut_diffusion="P")
    shown = show(database_url, "00000000100011", "--json")
    assert json.loads(shown.stdout)[0]["facts"] is None
    assert "DUPONT" not in shown.stdout


def test_an_unknown_establishment_is_one_clear_line(
    register: "Register", database_url: str
) -> None:
    register.add(range(1, 2))
    shown = show(database_url, "99999999900011")
    assert (shown.returncode, shown.stdout) == (2, "")
    assert len(shown.stderr.splitlines()) == 1
    assert "99999999900011" in shown.stderr
