"""A result counts or not, on a real database."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Table, event

from services.reviewer.store import store
from services.reviewer.texts.rulings import Fate
from shared.db.tables import etablissements, pro_localisations, unites_legales

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register


def test_an_accepted_text_has_its_label_and_provenance(register: "Register", desk: "Desk") -> None:
    [avis_id] = register.add(range(1, 2))
    [claimed] = desk.claim([avis_id])
    assert claimed.facts.nom == "ATELIER DUPONT 1"
    assert claimed.facts_hash == register.avis(avis_id)["facts_hash"]
    assert desk.store(claimed) == [Fate.ACCEPTED]
    row = register.avis(avis_id)
    assert (row["outcome"], row["text"]) == ("accepted", "Un texte sur ATELIER DUPONT 1.")
    assert (row["label"], row["model"], row["prompt_version"]) == ("Notice.", "test", "test-1")
    assert row["digital_source_type"] == "algorithmicMedia"
    assert row["accepted_facts_hash"] == claimed.facts_hash
    assert row["accepted_at"] is not None
    assert row["lease_until"] is row["published_at"] is None
    [attempt] = register.rows("SELECT * FROM avis_attempts")
    assert (attempt["avis_id"], attempt["accepted"], attempt["reasons"]) == (avis_id, True, [])
    assert attempt["latency_seconds"] == 0.25


def test_the_result_of_a_lost_lease_is_discarded(register: "Register", desk: "Desk") -> None:
    [avis_id] = register.add(range(1, 2))
    [slow] = desk.claim([avis_id], lease_seconds=0)
    [quick] = desk.claim([avis_id])
    assert desk.store(slow) == [Fate.DISCARDED]
    assert register.avis(avis_id)["text"] is None
    assert desk.store(quick) == [Fate.ACCEPTED]
    attempts = register.rows("SELECT accepted, reasons FROM avis_attempts ORDER BY id")
    assert [(row["accepted"], row["reasons"]) for row in attempts] == [
        (False, ["lease_lost"]),
        (True, []),
    ]


def test_a_result_stored_again_after_a_lost_answer_changes_nothing(
    register: "Register", desk: "Desk"
) -> None:
    ids = register.add(range(1, 3))
    good, bad = desk.claim(ids)
    for _ in range(2):
        assert desk.store(good) == [Fate.ACCEPTED]
        assert desk.store(bad, reasons=("empty",)) == [Fate.REJECTED]
    assert len(register.rows("SELECT 1 FROM avis_attempts")) == 2
    [failed] = register.rows("SELECT attempts FROM failed_items")
    assert failed["attempts"] == 1


@pytest.mark.parametrize("table", [unites_legales, etablissements], ids=lambda table: table.name)
def test_a_flip_to_partial_diffusion_discards_the_result_and_keeps_nothing(
    register: "Register", desk: "Desk", table: Table
) -> None:
    [avis_id] = register.add(range(1, 2))
    [claimed] = desk.claim([avis_id])
    register.change(table, register.siren(1), statut_diffusion="P")
    assert desk.store(claimed) == [Fate.SKIPPED]
    row = register.avis(avis_id)
    assert (row["outcome"], row["text"]) == ("skipped_non_diffusible", None)
    assert register.rows("SELECT 1 FROM avis_attempts") == []


def test_an_opposition_discards_the_result_and_keeps_nothing(
    register: "Register", desk: "Desk"
) -> None:
    [avis_id] = register.add(range(1, 2))
    [claimed] = desk.claim([avis_id])
    register.oppose(register.siren(1))
    assert desk.store(claimed) == [Fate.SKIPPED]
    assert register.avis(avis_id)["outcome"] == "skipped_opposition"
    assert register.rows("SELECT 1 FROM avis_attempts") == []


def test_changed_facts_discard_the_result_and_make_the_avis_due_again(
    register: "Register", desk: "Desk"
) -> None:
    [avis_id] = register.add(range(1, 2))
    register.execute("UPDATE avis SET published_at = now()")
    [claimed] = desk.claim([avis_id])
    register.change(etablissements, register.siren(1), tranche_effectifs="11")
    assert desk.store(claimed) == [Fate.DISCARDED]
    row = register.avis(avis_id)
    assert row["outcome"] == "pending"
    assert row["published_at"] is row["lease_until"] is row["text"] is None
    assert row["facts_hash"] != claimed.facts_hash
    [attempt] = register.rows("SELECT accepted, reasons FROM avis_attempts")
    assert (attempt["accepted"], attempt["reasons"]) == (False, ["facts_changed"])
    [again] = desk.claim([avis_id])
    assert (again.facts_hash, again.facts.tranche_effectifs) == (row["facts_hash"], "11")
    assert desk.store(again) == [Fate.ACCEPTED]


def test_a_page_that_closes_discards_the_result(register: "Register", desk: "Desk") -> None:
    [avis_id] = register.add(range(1, 2))
    [claimed] = desk.claim([avis_id])
    register.change(pro_localisations, register.siren(1), status="closed")
    assert desk.store(claimed) == [Fate.SKIPPED]
    assert (register.avis(avis_id)["outcome"], register.avis(avis_id)["text"]) == (
        "cancelled",
        None,
    )


def test_an_avis_erased_meanwhile_leaves_nothing(register: "Register", desk: "Desk") -> None:
    [avis_id] = register.add(range(1, 2))
    [claimed] = desk.claim([avis_id])
    register.execute("DELETE FROM avis")
    assert desk.store(claimed) == [Fate.DISCARDED]
    assert register.rows("SELECT 1 FROM avis_attempts") == []


def test_one_flip_in_a_group_discards_one_result(register: "Register", desk: "Desk") -> None:
    ids = register.add(range(1, 6))
    claims = desk.claim(ids)
    register.oppose(register.siren(3))
    fates = desk.store(*claims)
    assert fates == [Fate.ACCEPTED, Fate.ACCEPTED, Fate.SKIPPED, Fate.ACCEPTED, Fate.ACCEPTED]


def test_a_rejected_text_is_kept_with_its_reasons_and_becomes_a_failed_item(
    register: "Register", desk: "Desk"
) -> None:
    [avis_id] = register.add(range(1, 2))
    assert desk.store(*desk.claim([avis_id]), reasons=("rating", "superlative")) == [Fate.REJECTED]
    row = register.avis(avis_id)
    assert (row["outcome"], row["text"], row["label"]) == ("rejected", None, None)
    [attempt] = register.rows("SELECT accepted, reasons, text FROM avis_attempts")
    assert (attempt["accepted"], attempt["reasons"]) == (False, ["rating", "superlative"])
    assert attempt["text"] == "Un texte sur ATELIER DUPONT 1."
    [failed] = register.rows("SELECT * FROM failed_items")
    assert (failed["kind"], failed["key"], failed["code"]) == ("review", str(avis_id), "rating")
    assert (failed["siren"], failed["resolved_at"]) == (register.siren(1), None)
    assert failed["message"] == "rating, superlative"


def test_an_accepted_text_resolves_the_failed_item(register: "Register", desk: "Desk") -> None:
    [avis_id] = register.add(range(1, 2))
    for _ in range(2):
        desk.store(*desk.claim([avis_id]), reasons=("empty",))
        register.execute("UPDATE avis SET outcome = 'pending'")
    [failed] = register.rows("SELECT attempts, resolved_at FROM failed_items")
    assert (failed["attempts"], failed["resolved_at"]) == (2, None)
    assert desk.store(*desk.claim([avis_id])) == [Fate.ACCEPTED]
    [failed] = register.rows("SELECT resolved_at FROM failed_items")
    assert failed["resolved_at"] is not None


def test_a_text_that_postgresql_cannot_hold_is_kept_without_the_characters(
    register: "Register", desk: "Desk"
) -> None:
    [avis_id] = register.add(range(1, 2), denomination="A\ud7ffB")
    [claimed] = desk.claim([avis_id])
    result = desk.result(claimed, reasons=("control_chars",))
    broken = replace(result.attempts[0], text="nul\0 and half \ud83d")
    fates = store(desk.engine, [replace(result, attempts=(broken,))], sole_traders=False)
    assert fates == {avis_id: Fate.REJECTED}
    [attempt] = register.rows("SELECT text FROM avis_attempts")
    assert attempt["text"] == "nul\N{REPLACEMENT CHARACTER} and half ?"


def test_a_group_takes_as_many_statements_as_one_avis(register: "Register", desk: "Desk") -> None:
    ids = register.add(range(1, 27))
    statements: list[str] = []

    def count(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    event.listen(register.engine, "before_cursor_execute", count)
    sent: list[int] = []
    for group in (ids[:1], ids[1:]):
        statements.clear()
        assert len(desk.store(*desk.claim(group))) == len(group)
        sent.append(len(statements))
    assert sent[0] == sent[1] <= 11
