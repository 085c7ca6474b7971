"""Facts are shown to people, and their words judged, with the context that a reviewer reads."""

import json
from collections.abc import Callable

import pytest

from services.reviewer.commands.report.figures import read_report
from services.reviewer.editors.orders import Editor
from services.reviewer.french.grammar import MOIS
from services.reviewer.validation import validate
from shared.avis import OrderVerb, TextOrder
from shared.clock import Clock, utc_now
from shared.days import day_in_france
from shared.texts.orders import place_order, read_outcome
from tests.integration.reviewer.avis_command import make_call
from tests.integration.reviewer.conftest import Desk, Register
from tests.integration.reviewer.contexts.conftest import Contexts

SIRET = "00000000100011"
Edit = Callable[[str], str | None]


@pytest.fixture(autouse=True)
def _trade(register: Register, contexts: Contexts, desk: Desk) -> None:
    """Four establishments of a trade in a complete commune; the first has its text."""
    contexts.certify(communes=["33063"])
    ids = register.add(range(1, 5))
    desk.store(*desk.claim(ids[:1]))


@pytest.fixture
def edit(register: Register, contexts: Contexts) -> Edit:
    """Order an edit and have it carried out; return why it was refused."""

    def edit(words: str) -> str | None:
        order = TextOrder(
            siret=SIRET, verb=OrderVerb.EDIT, ordered_by="Ada", reason="because", text=words
        )
        with register.engine.begin() as connection:
            order_id = place_order(connection, order)
        Editor(register.engine, validate, Clock(), contexts.reader, sole_traders=False).step()
        with register.engine.connect() as connection:
            outcome = read_outcome(connection, order_id)
        assert outcome is not None
        return outcome.refusal

    return edit


def test_an_editors_count_of_the_trade_is_judged_by_the_register(
    edit: Edit, register: Register
) -> None:
    assert edit(_counting("quatre")) is None
    [row] = register.rows("SELECT facts FROM avis_attempts WHERE model = 'human_edited'")
    assert row["facts"]["context"]["trade"]["etablissements"] == 4, "it is kept as evidence"
    refusal = edit(_counting("cinq"))
    assert refusal is not None
    assert "ungrounded_terms" in refusal


def _counting(etablissements: str) -> str:
    today = day_in_france(utc_now())
    return (
        "Atelier Dupont 1 réalise des travaux de menuiserie bois et PVC. "
        f"C’est l’un des {etablissements} établissements enregistrés à Bordeaux pour cette "
        f"activité ({MOIS[today.month - 1]} {today.year}, y compris les entreprises individuelles "
        "et les unités non diffusées)."
    )


def test_facts_are_shown_with_their_context(
    register: Register, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = make_call(database_url, monkeypatch)("show", SIRET, "--json")
    [avis] = json.loads(done.stdout)
    assert avis["facts"]["context"]["trade"]["etablissements"] == 4
    [sample] = read_report(register.engine, samples=20).samples
    assert sample.facts["trade"].startswith("etablissements 4, with_employees 4, month ")
