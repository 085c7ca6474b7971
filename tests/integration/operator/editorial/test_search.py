"""The search of texts: each way to them, page after page, over all shards."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection

from services.operator.editorial import search
from services.operator.editorial.search import TextCriteria, find_texts
from shared.avis import AvisOutcome, HoldReason
from shared.db.tables import pro_localisations

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register


@pytest.fixture
def ids(register: "Register", reviewers_desk: "Desk") -> list[int]:
    """Twelve avis with texts; the third is rejected, the fourth and fifth are held."""
    ids = register.add(range(1, 13))
    reviewers_desk.store(*reviewers_desk.claim(ids))
    register.execute("UPDATE avis SET outcome = 'rejected' WHERE id = :id", id=ids[2])
    for each, because in ((ids[3], "asked"), (ids[4], "fallback")):
        register.execute(
            "UPDATE avis SET held_because = :because, held_at = now() WHERE id = :id",
            because=because,
            id=each,
        )
    return ids


@pytest.fixture
def connection(register: "Register") -> Iterator[Connection]:
    with register.engine.connect() as connection:
        yield connection


def found(connection: Connection, **criteria: Any) -> list[int]:
    page = find_texts([connection], TextCriteria(**criteria))
    assert page.before is None
    return [each.id for each in page.texts]


def test_texts_are_found_by_number_state_and_hold(connection: Connection, ids: list[int]) -> None:
    assert found(connection) == ids[::-1]
    assert found(connection, number="00000000200011") == [ids[1]]
    assert found(connection, number="000000002") == [ids[1]]
    assert found(connection, number="999999999") == []
    assert found(connection, outcome=AvisOutcome.REJECTED) == [ids[2]]
    assert found(connection, is_held=True) == [ids[4], ids[3]]
    assert found(connection, held=HoldReason.FALLBACK) == [ids[4]]


def test_activity_and_departement_narrow_each_search(
    register: "Register", connection: Connection, ids: list[int]
) -> None:
    register.change(pro_localisations, register.siren(4), activite_principale="10.71C")
    register.change(pro_localisations, register.siren(5), code_commune="97105")
    assert found(connection, activite="10") == [ids[3]]
    assert found(connection, is_held=True, departement="971") == [ids[4]]
    assert found(connection, activite="1_.71C") == []
    assert found(connection, departement="%") == []


def test_texts_are_found_by_the_beginning_of_words_of_a_name(
    connection: Connection, ids: list[int], register: "Register"
) -> None:
    register.execute(
        """
        INSERT INTO search_entries (pro_localisation_id, siret, siren, nom, person,
          code_commune, activite_principale, departement, open, siege, date_creation, rank, terms)
        SELECT id, siret, siren, nom, false, code_commune, activite_principale, '33', true, true,
          '1900-01-01', 0, CAST(:terms AS tsvector)
        FROM pro_localisations WHERE siret = '00000000700011'
        """,
        terms="'atelier':1A 'dupont':2A 'bordeaux':50C",
    )
    assert found(connection, name="Dup") == [ids[6]]
    assert found(connection, name="dupont atel") == [ids[6]]
    assert found(connection, name="bordeaux") == []
    assert found(connection, name="d'up & ont:*") == []


def test_pages_hold_each_text_once_whatever_is_scanned(
    connection: Connection, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE", 2)
    for scanned in (3, 5, 100):
        monkeypatch.setattr(search, "_SCANNED", scanned)
        seen: list[int] = []
        before: int | None = None
        while True:
            page = find_texts([connection], TextCriteria(is_held=False), before)
            seen += [each.id for each in page.texts]
            before = page.before
            if before is None:
                break
        assert seen == ids[::-1]


def test_a_page_says_where_to_go_on_where_nothing_of_it_matched(
    connection: Connection, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_SCANNED", 4)
    page = find_texts([connection], TextCriteria(outcome=AvisOutcome.CANCELLED))
    assert (page.texts, page.before, page.scanned) == ([], ids[8], 4)
