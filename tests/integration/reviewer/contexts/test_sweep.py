"""A text becomes due when other rows say something else, once, and without the writer."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine

from services.reviewer.contexts.sweep import ContextSweep, ask_for_sweep
from shared.clock import Clock
from shared.db.tables import etablissements, unites_legales
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


def _sweep(contexts: Contexts, *, rows: int = 2, sole_traders: bool = False) -> None:
    with contexts.engine.begin() as connection:
        ask_for_sweep(connection)
    ContextSweep(contexts.reader, Clock(), sole_traders=sole_traders, rows=rows).step()


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


@dataclass(frozen=True)
class KnownFact:
    """Four states of what the first text tells: as told, unknown, another one, known again."""

    tell: Callable[[Contexts], None]
    lose: Callable[[Contexts], None]
    change: Callable[[Contexts], None]
    restore: Callable[[Contexts], None]


def _certify_france(contexts: Contexts) -> None:
    contexts.certify()


def _lose_certificates(contexts: Contexts) -> None:
    contexts.register.execute("DELETE FROM certificates")


def _open_in_the_commune(contexts: Contexts) -> None:
    contexts.register.add(range(5, 7))
    _certify_france(contexts)


def _open_elsewhere(contexts: Contexts) -> None:
    contexts.add_site(1, code_commune="72181")
    _certify_france(contexts)


def _date(contexts: Contexts, fourth: dt.date | None) -> None:
    for number in range(1, 4):
        day = dt.date(2000 + number, 1, 1)
        contexts.register.change(etablissements, contexts.register.siren(number), date_creation=day)
    siren = contexts.register.siren(4)
    contexts.register.change(etablissements, siren, date_creation=fourth)


def _tell_ranks(contexts: Contexts) -> None:
    contexts.certify(communes=["33063"])
    _date(contexts, dt.date(2004, 1, 1))


def _tell_signs(contexts: Contexts) -> None:
    contexts.add_periods(1, "LE ZINC", None)
    contexts.count_periods(2)


def _tell_activity(contexts: Contexts) -> None:
    _tell_signs(contexts)
    _code(contexts, 0, "56.30Z", "NAFRev2")


def _tell_another_activity(contexts: Contexts) -> None:
    _code(contexts, 0, "10.71C", "NAFRev2")
    _code(contexts, 1, "43.32A", "NAFRev2")


def _code(contexts: Contexts, rang: int, activite: str, nomenclature: str) -> None:
    contexts.register.execute(
        "UPDATE periodes_etablissements SET activite_principale = :activite,"
        " nomenclature_activite_principale = :nomenclature WHERE rang = :rang",
        rang=rang,
        activite=activite,
        nomenclature=nomenclature,
    )


def _store_periods(contexts: Contexts, *signs: str | None) -> None:
    contexts.register.execute("DELETE FROM periodes_etablissements")
    contexts.add_periods(1, *signs)
    contexts.count_periods(len(signs))


_KINDS: Mapping[str, KnownFact] = {
    "a trade whose commune is complete no more": KnownFact(
        _certify_france, _lose_certificates, _open_in_the_commune, _certify_france
    ),
    "sites of a register that is complete no more": KnownFact(
        _certify_france, _lose_certificates, _open_elsewhere, _certify_france
    ),
    "a rank beside one without a date": KnownFact(
        _tell_ranks,
        lambda contexts: _date(contexts, None),
        lambda contexts: _date(contexts, dt.date(1999, 1, 1)),
        _tell_ranks,
    ),
    "a history of which a stock file brings the count alone": KnownFact(
        _tell_signs,
        lambda contexts: contexts.count_periods(3),
        lambda contexts: _store_periods(contexts, "L'ÉPI", None, None),
        lambda contexts: _store_periods(contexts, "LE ZINC", None, None),
    ),
    "an activity before one that was coded anew in its place": KnownFact(
        _tell_activity,
        lambda contexts: _code(contexts, 1, "43.32A", "NAF2025"),
        _tell_another_activity,
        lambda contexts: _code(contexts, 1, "43.32A", "NAFRev2"),
    ),
}


@pytest.mark.parametrize("kind", _KINDS)
def test_what_has_become_unknown_makes_nothing_due_until_it_is_known_to_be_other(
    register: Register, contexts: Contexts, desk: Desk, kind: str
) -> None:
    fact = _KINDS[kind]
    ids = register.add(range(1, 5))
    fact.tell(contexts)
    _write(desk, contexts, ids)
    told = register.avis(ids[0])["context_hash"]
    for known in (fact.lose, fact.restore, fact.lose):
        known(contexts)
        _sweep(contexts)
        assert _due(register) == []
        assert register.avis(ids[0])["context_hash"] == told
    fact.change(contexts)
    _sweep(contexts)
    assert ids[0] in _due(register)


def test_what_may_be_told_no_more_makes_due_whatever_is_unknown(
    register: Register, contexts: Contexts, desk: Desk
) -> None:
    ids = register.add(range(1, 4))
    _tell_signs(contexts)
    register.execute(
        "INSERT INTO successions (siret_predecesseur, siret_successeur, date_lien_succession)"
        " VALUES ('00000000200011', '00000000300011', '2020-01-01')"
    )
    _write(desk, contexts, ids)
    contexts.count_periods(3)
    _sweep(contexts)
    assert _due(register) == []
    register.change(unites_legales, register.siren(1), categorie_juridique="1000")
    register.oppose(register.siren(3))
    _sweep(contexts, sole_traders=True)
    assert _due(register) == ids[:2], "a person's former sign, and a successor that objects"


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
