"""`avis hold` and the like place an order and tell its outcome; `avis held` lists the held."""

import json
import threading
from typing import TYPE_CHECKING

import pytest

from services.reviewer.contexts.reader import ContextReader
from services.reviewer.editors.orders import Editor
from services.reviewer.validation import Verdict
from tests.integration.reviewer.avis_command import Call

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from shared.clock import Clock
    from tests.integration.reviewer.conftest import Desk, Register

SIRET = "00000000100011"


@pytest.fixture
def _text(register: "Register", desk: "Desk") -> None:
    desk.store(*desk.claim(register.add(range(1, 2))))


@pytest.fixture
def _editor(register: "Register", clock: "Clock") -> "Iterator[None]":
    """A reviewer that carries out orders."""
    stop = threading.Event()
    contexts = ContextReader(register.engine, [register.engine], clock)
    editor = Editor(
        register.engine, lambda _text, _facts: Verdict(), clock, contexts, sole_traders=False
    )

    def turn() -> None:
        while not stop.wait(0.05):
            editor.step()

    turning = threading.Thread(target=turn)
    turning.start()
    yield
    stop.set()
    turning.join()


@pytest.mark.usefixtures("_text")
def test_without_a_reviewer_the_order_is_kept_and_the_command_says_so(
    register: "Register", call: Call
) -> None:
    done = call("hold", SIRET, "--reason", "a complaint", "--by", "Ada", "--wait", "0")
    assert done.returncode == 1
    assert "no reviewer runs: order 1 is kept" in done.stdout
    [row] = register.rows("SELECT * FROM avis_orders")
    assert (row["status"], row["ordered_by"], row["reason"]) == ("pending", "Ada", "a complaint")


@pytest.mark.usefixtures("_text", "_editor")
def test_orders_are_carried_out_and_listed(
    register: "Register", call: Call, tmp_path: "Path"
) -> None:
    why = ("--reason", "a complaint", "--by", "Ada")
    assert "done: hold" in call("hold", "000 000 001 00011", *why).stdout
    refused = call("hold", SIRET, *why)
    assert refused.returncode == 1
    assert refused.stdout.endswith("refused: the text is held already: asked\n")
    listed = call("held", "--json").told
    assert listed["held"] == 1
    [one] = listed["texts"]
    assert (one["siret"], one["held_because"], one["ordered_by"]) == (SIRET, "asked", "Ada")
    assert "asked since" in call("held").stdout
    file = tmp_path / "text.txt"
    file.write_text("Un  atelier\nde Bordeaux.\n", encoding="utf-8")
    edited = json.loads(
        call("edit", SIRET, "--file", str(file), *why, "--json").stdout.splitlines()[-1]
    )
    assert edited == {"order": 3, "status": "done", "refusal": None, "note": None}
    [row] = register.rows("SELECT text, held_because FROM avis")
    assert (row["text"], row["held_because"]) == ("Un atelier de Bordeaux.", None)
    assert call("held").stdout.startswith("0 texts are held")
    shown = json.loads(call("show", SIRET, "--json").stdout)[0]["orders"]
    assert [order["verb"] for order in shown] == ["hold", "hold", "edit"]
    assert call("reject", SIRET, *why).returncode == 0


def test_an_order_without_reason_siret_or_text_is_a_users_error(
    call: Call, tmp_path: "Path"
) -> None:
    assert call("hold", SIRET, "--reason", " ").stderr == "error: say who orders it, and why"
    assert call("hold", "12", "--reason", "r").stderr == "error: a SIRET has 14 digits"
    assert "--kind is" in call("hold", SIRET, "--reason", "r", "--kind", "x").stderr
    empty = tmp_path / "empty"
    empty.write_text(" \n")
    assert "holds no text" in call("edit", SIRET, "--reason", "r", "--file", str(empty)).stderr
