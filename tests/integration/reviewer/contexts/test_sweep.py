"""A text becomes due when other rows say something else, once, and without the writer."""

import pytest
from sqlalchemy import Engine

from services.reviewer.contexts.sweep import ContextSweep, ask_for_sweep
from shared.clock import Clock
from tests.integration.reviewer.conftest import Desk, Register
from tests.integration.reviewer.contexts.conftest import Contexts


@pytest.fixture
def written(register: Register, desk: Desk, contexts: Contexts) -> list[int]:
    """Four texts of one trade in a complete commune, each with its context."""
    contexts.certify(communes=["33063"])
    ids = register.add(range(1, 5))
    _write(desk, contexts, ids)
    return ids


def _write(desk: Desk, contexts: Contexts, ids: list[int]) -> None:
    desk.describe = contexts.reader.describe
    desk.store(*desk.claim(ids))


def _sweep(contexts: Contexts, *, rows: int = 2) -> None:
    with contexts.engine.begin() as connection:
        ask_for_sweep(connection)
    ContextSweep(contexts.reader, Clock(), sole_traders=False, rows=rows).step()


def _due(register: Register) -> list[int]:
    rows = register.rows("SELECT id FROM avis WHERE outcome = 'pending' ORDER BY id")
    return [row["id"] for row in rows]


@pytest.mark.usefixtures("written")
def test_an_opening_within_the_class_makes_nothing_due(
    register: Register, contexts: Contexts
) -> None:
    register.add(range(5, 6))
    [opened] = _due(register)
    _sweep(contexts)
    assert _due(register) == [opened]


def test_an_opening_that_changes_the_class_makes_the_texts_of_the_trade_due_once(
    register: Register, contexts: Contexts, desk: Desk, written: list[int]
) -> None:
    opened = register.add(range(5, 7))
    _sweep(contexts)
    assert _due(register) == [*written, *opened]
    row = register.avis(written[0])
    assert row["text"] is not None
    assert row["renewal_rank"] is not None, "it is a renewal, and waits for its turn"
    [*_, sweep] = register.rows("SELECT * FROM context_sweeps ORDER BY id")
    assert (sweep["checked"], sweep["made_due"]) == (4, 4)
    _write(desk, contexts, written)
    _sweep(contexts)
    assert _due(register) == opened


def test_a_sweep_goes_on_where_a_killed_reviewer_left_it(
    register: Register, contexts: Contexts, engine: Engine, written: list[int]
) -> None:
    register.add(range(5, 7))
    register.execute("INSERT INTO context_sweeps DEFAULT VALUES")
    sweep = ContextSweep(contexts.reader, Clock(), sole_traders=False, rows=1)
    assert sweep.sweep_on(engine)
    with pytest.raises(ZeroDivisionError):
        _killed_before_commit(sweep, engine)
    assert register.rows("SELECT after_id, checked, made_due FROM context_sweeps")[0] == {
        "after_id": written[0],
        "checked": 1,
        "made_due": 1,
    }
    while sweep.sweep_on(engine):
        pass
    assert _due(register)[:4] == written
    [row] = register.rows("SELECT checked, made_due, ended_at IS NULL AS open FROM context_sweeps")
    assert dict(row) == {"checked": 4, "made_due": 4, "open": False}


def _killed_before_commit(sweep: ContextSweep, engine: Engine) -> None:
    """Do a batch up to the end of its transaction."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sqlalchemy.engine.base.RootTransaction.commit", lambda _: 1 / 0)
        sweep.sweep_on(engine)


def test_a_text_of_an_unknown_context_is_due_and_a_persons_words_are_not(
    register: Register, contexts: Contexts, written: list[int]
) -> None:
    register.execute("UPDATE avis SET context_hash = NULL WHERE id <= :id", id=written[1])
    register.execute("UPDATE avis SET model = 'human_edited' WHERE id = :id", id=written[1])
    _sweep(contexts)
    assert _due(register) == written[:1]


def test_facts_that_come_back_do_not_hide_a_changed_context(
    register: Register, contexts: Contexts, desk: Desk, written: list[int]
) -> None:
    register.add(range(5, 7))
    _sweep(contexts)
    register.execute("UPDATE avis SET outcome = 'accepted' WHERE id = :id", id=written[0])
    _sweep(contexts)
    assert written[0] in _due(register)
    assert len(desk.claim(written[:1])) == 1, "its text does not tell what is so"


@pytest.mark.usefixtures("written")
def test_a_register_that_nothing_says_to_be_complete_any_more_makes_nothing_due(
    register: Register, contexts: Contexts
) -> None:
    register.execute("DELETE FROM certificates")
    _sweep(contexts)
    assert _due(register) == []


@pytest.mark.usefixtures("written")
def test_a_sweep_begins_once_a_day_and_after_a_certificate(
    register: Register, contexts: Contexts
) -> None:
    sweep = ContextSweep(contexts.reader, Clock(), sole_traders=False)
    number = "SELECT count(*) AS number FROM context_sweeps"
    for sweeps in (1, 1):
        sweep.step()
        assert register.rows(number)[0]["number"] == sweeps
    contexts.certify(communes=["33063"])
    sweep.step()
    assert register.rows(number)[0]["number"] == 2
    register.execute("UPDATE context_sweeps SET began_at = began_at - interval '1 day'")
    register.execute("DELETE FROM certificates")
    sweep.step()
    assert register.rows(number)[0]["number"] == 3
