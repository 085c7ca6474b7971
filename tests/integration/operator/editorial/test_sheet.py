"""One text beside its facts, verdicts, versions and orders."""

from typing import TYPE_CHECKING

from services.operator.editorial.sheet import TextSheet, read_sheet
from services.reviewer.contexts.reader import ContextReader
from services.reviewer.editors.orders import Editor
from services.reviewer.validation import Verdict
from shared.avis import OrderVerb, TextOrder
from shared.clock import Clock
from shared.texts.orders import place_order

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register

SIRET = "00000000100011"


def sheet_of(register: "Register") -> TextSheet:
    with register.engine.connect() as connection:
        sheet = read_sheet(connection, SIRET, "notice")
    assert sheet is not None
    return sheet


def edit(register: "Register", words: str) -> None:
    order = TextOrder(
        siret=SIRET, verb=OrderVerb.EDIT, ordered_by="Ada", reason="clearer", text=words
    )
    with register.engine.begin() as connection:
        place_order(connection, order)
    assert len(sheet_of(register).open_orders) == 1
    contexts = ContextReader(register.engine, [register.engine], Clock())
    Editor(
        register.engine, lambda _text, _facts: Verdict(), Clock(), contexts, sole_traders=False
    ).step()


def test_a_text_stands_beside_the_facts_that_it_was_made_of(
    register: "Register", reviewers_desk: "Desk"
) -> None:
    reviewers_desk.store(*reviewers_desk.claim(register.add(range(1, 2))))
    sheet = sheet_of(register)
    assert sheet.of_text is not None
    assert sheet.of_text.facts is not None
    assert sheet.of_text.facts["nom"] == "ATELIER DUPONT 1"
    assert not sheet.facts_have_changed
    register.execute("UPDATE avis SET facts_hash = 'other'")
    assert sheet_of(register).facts_have_changed


def test_each_version_tells_what_it_changed_and_the_orders_who_did(
    register: "Register", reviewers_desk: "Desk"
) -> None:
    reviewers_desk.store(*reviewers_desk.claim(register.add(range(1, 2))))
    first = sheet_of(register).avis["text"]
    edit(register, f"{first} Oui.")
    edit(register, "Un atelier.")
    sheet = sheet_of(register)
    newest, middle, oldest = sheet.versions
    assert (newest.attempt.text, middle.attempt.text) == ("Un atelier.", f"{first} Oui.")
    assert [run.change for run in oldest.changes] == ["same"]
    assert [tuple(run) for run in middle.changes] == [("same", first), ("new", "Oui.")]
    assert [(each.verb, each.ordered_by, each.status) for each in sheet.orders] == [
        ("edit", "Ada", "done"),
        ("edit", "Ada", "done"),
    ]
    assert sheet.open_orders == []


def test_verdicts_of_refused_attempts_are_kept_beside_the_text(
    register: "Register", reviewers_desk: "Desk"
) -> None:
    reviewers_desk.store(*reviewers_desk.claim(register.add(range(1, 2))), reasons=("rating",))
    sheet = sheet_of(register)
    assert (sheet.of_text, sheet.versions) == (None, [])
    [attempt] = sheet.attempts
    assert (attempt.accepted, list(attempt.reasons)) == (False, ["rating"])


def test_there_is_no_sheet_of_a_text_that_is_not_there(register: "Register") -> None:
    with register.engine.connect() as connection:
        assert read_sheet(connection, SIRET, "notice") is None
