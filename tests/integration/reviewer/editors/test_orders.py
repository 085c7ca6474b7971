"""People's orders about texts: each is carried out once, or refused with its reason."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from services.reviewer.commands.due import mark_due
from services.reviewer.contexts.reader import ContextReader
from services.reviewer.editors.orders import Editor
from services.reviewer.texts.attempts import Validate
from services.reviewer.texts.rulings import Fate
from services.reviewer.validation import Verdict
from shared.avis import OrderVerb, TextOrder
from shared.db.tables import etablissements
from shared.texts.orders import (
    OrderOutcome,
    TextHasChanged,
    place_order,
    read_outcome,
    seen_sql,
)

if TYPE_CHECKING:
    from shared.clock import Clock
    from tests.integration.reviewer.conftest import Desk, Register

ROOT = Path(__file__).parents[4]
SIRET = "00000000100011"
# An editor that dies in the middle of its transaction, as by kill -9.
_KILLED = """
import os, signal, sys
from services.reviewer.contexts.reader import ContextReader
from services.reviewer.editors.orders import Editor
from shared.clock import Clock
from shared.db.engine import make_engine

def die(text, facts):
    os.kill(os.getpid(), signal.SIGKILL)

engine = make_engine(sys.argv[1], application_name="killed")
contexts = ContextReader(engine, [engine], Clock())
Editor(engine, die, Clock(), contexts, sole_traders=False).step()
"""

Order = Callable[..., OrderOutcome | None]


def no_digits(text: str, _facts: object) -> Verdict:
    return Verdict(("ungrounded_number",) if any(map(str.isdigit, text)) else ())


def editor_of(register: "Register", clock: "Clock", validate: Validate) -> Editor:
    contexts = ContextReader(register.engine, [register.engine], clock)
    return Editor(register.engine, validate, clock, contexts, sole_traders=False)


@pytest.fixture
def editor(register: "Register", clock: "Clock") -> Editor:
    return editor_of(register, clock, no_digits)


@pytest.fixture
def place(register: "Register") -> Callable[..., int]:
    def place(verb: OrderVerb, **more: str | bool) -> int:
        particulars = {"siret": SIRET, "ordered_by": "Ada", "reason": "because"} | more
        with register.engine.begin() as connection:
            return place_order(connection, TextOrder(verb=verb, **particulars))  # type: ignore[arg-type]  # of any kind

    return place


@pytest.fixture
def order(register: "Register", editor: Editor, place: Callable[..., int]) -> Order:
    def order(verb: OrderVerb, **more: str | bool) -> OrderOutcome | None:
        order_id = place(verb, **more)
        editor.step()
        with register.engine.connect() as connection:
            return read_outcome(connection, order_id)

    return order


@pytest.fixture
def avis_id(register: "Register", desk: "Desk") -> int:
    """An avis with its text."""
    [avis_id] = register.add(range(1, 2))
    desk.store(*desk.claim([avis_id]))
    return avis_id


def refusal(outcome: OrderOutcome | None) -> str | None:
    assert outcome is not None
    assert (outcome.status == "refused") == (outcome.refusal is not None)
    return outcome.refusal


def change_facts(register: "Register", avis_id: int, headcount: str = "03") -> None:
    register.change(etablissements, register.siren(1), tranche_effectifs=headcount)
    register.execute(
        "UPDATE avis SET outcome = 'pending', facts_hash = 'other', claim_token = NULL,"
        " lease_until = NULL WHERE id = :id",
        id=avis_id,
    )


def test_a_text_is_held_and_released_as_it_was(
    register: "Register", order: Order, avis_id: int
) -> None:
    before = register.avis(avis_id)
    assert refusal(order(OrderVerb.RELEASE)) == "the text is not held"
    assert refusal(order(OrderVerb.HOLD)) is None
    assert register.avis(avis_id)["held_because"] == "asked"
    assert refusal(order(OrderVerb.HOLD)) == "the text is held already: asked"
    assert refusal(order(OrderVerb.RELEASE)) is None
    assert register.avis(avis_id) == before
    [done] = register.rows("SELECT * FROM avis_orders WHERE status = 'done' AND verb = 'hold'")
    assert (done["ordered_by"], done["reason"], done["siren"]) == ("Ada", "because", SIRET[:9])
    assert done["done_at"] >= done["ordered_at"]


def test_a_hold_stands_over_the_successor_of_its_text(
    register: "Register", desk: "Desk", order: Order, avis_id: int
) -> None:
    order(OrderVerb.HOLD)
    change_facts(register, avis_id)
    [claimed] = desk.claim([avis_id])
    assert desk.store(claimed) == [Fate.ACCEPTED]
    row = register.avis(avis_id)
    assert (row["outcome"], row["held_because"]) == ("accepted", "asked")
    assert row["accepted_facts_hash"] == claimed.facts_hash


def test_a_rejected_text_goes_and_none_is_made_from_the_same_facts(
    register: "Register", desk: "Desk", order: Order, avis_id: int
) -> None:
    register.execute(
        "INSERT INTO avis_simhashes (place, avis_id, simhash) SELECT hashtext("
        "activite_principale || ' ' || code_commune), :id, 1 FROM pro_localisations",
        id=avis_id,
    )
    assert refusal(order(OrderVerb.REJECT)) is None
    row = register.avis(avis_id)
    assert (row["outcome"], row["text"], row["label"]) == ("rejected", None, None)
    assert refusal(order(OrderVerb.REJECT)) == "there is no text to reject: rejected"
    assert refusal(order(OrderVerb.HOLD)) == "there is no text to hold"
    [attempt] = register.rows("SELECT text FROM avis_attempts")
    assert attempt["text"] is not None, "it stays as evidence"
    change_facts(register, avis_id)
    assert desk.store(*desk.claim([avis_id])) == [Fate.ACCEPTED]


def test_a_text_that_waits_for_its_successor_is_held_instead_of_rejected(
    register: "Register", order: Order, avis_id: int
) -> None:
    change_facts(register, avis_id)
    told = refusal(order(OrderVerb.REJECT))
    assert told == "the text waits for its successor (pending): hold it"
    assert refusal(order(OrderVerb.HOLD)) is None


def test_an_edit_passes_the_rules_or_is_overridden_with_its_reasons_kept(
    register: "Register", order: Order, avis_id: int
) -> None:
    told = refusal(order(OrderVerb.EDIT, text="Ouvert depuis 1812."))
    assert told == "the text has reasons against it: ungrounded_number"
    assert register.avis(avis_id)["model"] == "test"
    assert refusal(order(OrderVerb.EDIT, text="Ouvert depuis 1812.", override=True)) is None
    row = register.avis(avis_id)
    assert (row["outcome"], row["text"]) == ("accepted", "Ouvert depuis 1812.")
    assert (row["model"], row["prompt_version"]) == ("human_edited", "human_edited")
    assert row["digital_source_type"] == "humanEdits"
    assert row["label"].startswith("Notice rédigée par une personne le ")
    [_, kept] = register.rows("SELECT accepted, reasons FROM avis_attempts ORDER BY id")
    assert (kept["accepted"], kept["reasons"]) == (True, ["ungrounded_number"])
    assert len(register.rows("SELECT 1 FROM avis_simhashes")) == 1


def test_an_edit_of_a_models_text_says_that_a_model_had_a_part(
    register: "Register", order: Order, avis_id: int
) -> None:
    register.execute("UPDATE avis SET digital_source_type = 'trainedAlgorithmicMedia'")
    for _ in range(2):
        assert refusal(order(OrderVerb.EDIT, text="Un atelier.")) is None
        row = register.avis(avis_id)
        assert row["digital_source_type"] == "compositeWithTrainedAlgorithmicMedia"
        assert row["label"].startswith("Notice rédigée par IA, puis modifiée par une personne le ")


def test_an_edit_ends_a_hold_and_discards_the_text_under_way(
    register: "Register", desk: "Desk", order: Order, avis_id: int
) -> None:
    order(OrderVerb.HOLD)
    change_facts(register, avis_id)
    [claimed] = desk.claim([avis_id])
    assert refusal(order(OrderVerb.EDIT, text="Un atelier.")) is None
    assert desk.store(claimed) == [Fate.DISCARDED]
    row = register.avis(avis_id)
    assert (row["outcome"], row["text"], row["held_because"]) == ("accepted", "Un atelier.", None)


def test_an_edit_survives_equal_facts_and_another_prompt(
    register: "Register", desk: "Desk", order: Order, avis_id: int
) -> None:
    order(OrderVerb.EDIT, text="Un atelier.")
    assert mark_due([register.engine], "another") == 0
    register.execute("UPDATE avis SET outcome = 'pending'")
    assert desk.claim([avis_id]) == ()
    row = register.avis(avis_id)
    assert (row["outcome"], row["text"], row["held_because"]) == ("accepted", "Un atelier.", None)


def test_an_edit_under_other_facts_is_held_and_a_person_decides(
    register: "Register", desk: "Desk", order: Order, avis_id: int
) -> None:
    order(OrderVerb.EDIT, text="Un atelier.")
    change_facts(register, avis_id)
    assert desk.claim([avis_id]) == ()
    row = register.avis(avis_id)
    assert (row["outcome"], row["text"], row["held_because"]) == (
        "accepted",
        "Un atelier.",
        "edited",
    )
    assert refusal(order(OrderVerb.RELEASE)) is None
    row = register.avis(avis_id)
    assert row["accepted_facts_hash"] == row["facts_hash"] != "other"
    assert (row["text"], row["held_because"]) == ("Un atelier.", None)


def test_an_edit_that_does_not_fit_the_new_facts_is_not_released(
    register: "Register", desk: "Desk", order: Order, avis_id: int
) -> None:
    order(OrderVerb.EDIT, text="Un atelier de 3 salariés.", override=True)
    change_facts(register, avis_id)
    desk.claim([avis_id])
    told = refusal(order(OrderVerb.RELEASE))
    assert told == "the facts have changed, and the text does not fit them: ungrounded_number"
    assert refusal(order(OrderVerb.REJECT)) is None
    row = register.avis(avis_id)
    assert (row["outcome"], row["text"], row["held_because"]) == ("pending", None, None)
    assert desk.store(*desk.claim([avis_id])) == [Fate.ACCEPTED]


def test_no_order_brings_a_text_where_none_may_be_written(
    register: "Register", order: Order, avis_id: int
) -> None:
    assert refusal(order(OrderVerb.HOLD, siret="00000000200011")) == (
        "the establishment has no notice"
    )
    assert refusal(order(OrderVerb.HOLD, kind="synthese")) == "the establishment has no synthese"
    register.oppose(register.siren(1))
    told = refusal(order(OrderVerb.EDIT, text="Un atelier."))
    assert told == "no text may be written: skipped_opposition"
    assert register.avis(avis_id)["model"] == "test"


def test_a_validator_that_breaks_refuses_one_order_and_holds_up_no_other(
    register: "Register", clock: "Clock", place: Callable[..., int], avis_id: int
) -> None:
    def breaks(_text: str, _facts: object) -> Verdict:
        raise ZeroDivisionError

    place(OrderVerb.EDIT, text="Un atelier.")
    place(OrderVerb.HOLD)
    editor_of(register, clock, breaks).step()
    rows = register.rows("SELECT status, refusal FROM avis_orders ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [
        ("refused", "the validator broke: ZeroDivisionError"),
        ("done", None),
    ]
    assert register.avis(avis_id)["held_because"] == "asked"


def test_an_order_whose_editor_is_killed_is_carried_out_once(
    register: "Register",
    database_url: str,
    editor: Editor,
    place: Callable[..., int],
    avis_id: int,
) -> None:
    place(OrderVerb.EDIT, text="Un atelier.")
    killed = subprocess.run([sys.executable, "-c", _KILLED, database_url], check=False, cwd=ROOT)
    assert killed.returncode == -9
    assert register.avis(avis_id)["model"] == "test"
    editor.step()
    editor.step()
    assert register.avis(avis_id)["text"] == "Un atelier."
    assert len(register.rows("SELECT 1 FROM avis_attempts WHERE model = 'human_edited'")) == 1
    [row] = register.rows("SELECT status FROM avis_orders")
    assert row["status"] == "done"


def test_orders_are_carried_out_in_their_order_by_several_editors(
    register: "Register", clock: "Clock", place: Callable[..., int], avis_id: int
) -> None:
    for _ in range(10):
        place(OrderVerb.HOLD)
        place(OrderVerb.RELEASE)
    editors = [editor_of(register, clock, no_digits) for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(Editor.step, editors))
    editors[0].step()
    assert {row["status"] for row in register.rows("SELECT status FROM avis_orders")} == {"done"}
    assert register.avis(avis_id)["held_because"] is None


def test_a_text_is_made_again_and_stays_until_its_successor_is_there(
    register: "Register", desk: "Desk", order: Order, avis_id: int
) -> None:
    before = register.avis(avis_id)
    assert refusal(order(OrderVerb.REGENERATE)) is None
    row = register.avis(avis_id)
    assert (row["outcome"], row["text"]) == ("pending", before["text"])
    assert refusal(order(OrderVerb.REGENERATE)) == "a text is due already"
    [claimed] = desk.claim([avis_id])
    assert desk.store(claimed) == [Fate.ACCEPTED]
    assert len(register.rows("SELECT 1 FROM avis_attempts")) == 2


def test_a_rejected_text_is_made_again_when_somebody_orders_it(
    desk: "Desk", order: Order, avis_id: int
) -> None:
    order(OrderVerb.REJECT)
    assert refusal(order(OrderVerb.REGENERATE)) is None
    assert desk.store(*desk.claim([avis_id])) == [Fate.ACCEPTED]


def test_no_text_is_made_again_over_a_persons_words_or_where_none_may_be_written(
    register: "Register", order: Order, avis_id: int
) -> None:
    order(OrderVerb.EDIT, text="Un atelier.")
    assert refusal(order(OrderVerb.REGENERATE)) == "a person edited the text: reject it first"
    order(OrderVerb.REJECT)
    register.oppose(register.siren(1))
    told = refusal(order(OrderVerb.REGENERATE))
    assert told == "no text may be written: skipped_opposition"
    assert register.avis(avis_id)["outcome"] == "rejected"


def seen(register: "Register") -> str:
    [row] = register.rows(f"SELECT {seen_sql()} AS seen FROM avis a")
    return str(row["seen"])


def test_of_two_people_who_look_at_a_text_the_second_is_told(
    register: "Register", place: Callable[..., int], editor: Editor, avis_id: int
) -> None:
    looked_at = seen(register)
    place(OrderVerb.HOLD, seen=looked_at)
    with pytest.raises(TextHasChanged):
        place(OrderVerb.REJECT, seen=looked_at)
    editor.step()
    with pytest.raises(TextHasChanged):
        place(OrderVerb.REJECT, seen=looked_at)
    place(OrderVerb.RELEASE, seen=seen(register))
    editor.step()
    assert register.avis(avis_id)["held_because"] is None


def test_of_two_orders_at_one_moment_one_is_placed(
    register: "Register", place: Callable[..., int], avis_id: int
) -> None:
    looked_at = seen(register)

    def place_one(_: int) -> bool:
        try:
            return place(OrderVerb.HOLD, seen=looked_at) > 0
        except TextHasChanged:
            return False

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(place_one, range(8))) == 1
    assert register.avis(avis_id)["held_because"] is None


def test_an_order_about_a_text_that_has_changed_meanwhile_is_refused(
    register: "Register", place: Callable[..., int], editor: Editor, avis_id: int
) -> None:
    order_id = place(OrderVerb.EDIT, text="Un atelier.", seen=seen(register))
    register.execute("UPDATE avis SET text = 'Un autre texte.' WHERE id = :id", id=avis_id)
    editor.step()
    with register.engine.connect() as connection:
        told = refusal(read_outcome(connection, order_id))
    assert told == "the text has changed since it was read"
    assert register.avis(avis_id)["text"] == "Un autre texte."
