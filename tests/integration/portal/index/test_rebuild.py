"""The index made anew: in place, after an interruption, from nothing; and compared."""

import json

import pytest
from sqlalchemy import Engine

from services.portal.index import rebuild
from services.portal.index.commands import app
from tests.integration.commands import Sirenade, sirenade_of
from tests.integration.portal.index.conftest import Step, compared, indexed, lexicon
from tests.integration.portal.search.invented import invent, store
from tests.integration.writer.desk import Desk


@pytest.fixture
def search(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Sirenade:
    monkeypatch.setenv("SIRENADE_DATABASE_URL", database_url)
    return sirenade_of(app, monkeypatch, capsys)


def test_a_rebuild_mends_what_is_wrong_and_leaves_what_is_right(
    desk: Desk, engine: Engine, search: Sirenade
) -> None:
    store(engine, invent(40))
    desk.execute("DELETE FROM search_entries WHERE pro_localisation_id % 4 = 0")
    desk.execute("UPDATE search_entries SET nom = 'X' WHERE pro_localisation_id % 4 = 1")
    desk.execute("UPDATE search_entries SET terms = 'x' WHERE pro_localisation_id % 4 = 2")
    desk.execute(
        "UPDATE search_entries SET pro_localisation_id = 9000 + pro_localisation_id"
        " WHERE pro_localisation_id = 3"
    )
    status, out, _ = search("check", "--json")
    found = json.loads(out)
    assert status == 1
    assert (found["altered"], found["missing"], found["surplus"]) == (20, 11, 1)
    status, out, _ = search("rebuild")
    assert status == 0
    assert "40 of 41 pages" in out.replace("\N{NO-BREAK SPACE}", " ") or "41 of 41 pages" in out
    found = json.loads(search("check", "--json")[1])
    assert (found["altered"], found["missing"], found["surplus"]) == (0, 0, 0)


def test_a_rebuild_from_nothing_mends_the_words_too(
    desk: Desk, engine: Engine, search: Sirenade
) -> None:
    store(engine, invent(40))
    before = lexicon(engine)
    desk.execute("DELETE FROM search_lexemes WHERE lexeme = 'garage'")
    desk.execute("INSERT INTO search_lexemes VALUES ('nowhere', 3, '{}')")
    status, out, _ = search("check")
    assert status == 1
    told = out.replace("\N{NO-BREAK SPACE}", " ")
    assert "1 word of entries, missing in the lexicon" in told
    assert "1 word without an entry" in told
    assert search("rebuild", "--empty")[0] == 0
    assert lexicon(engine) == before
    status, out, _ = search("check")
    assert status == 0
    assert "40 = 40" in out


@pytest.mark.one_role
def test_an_interrupted_rebuild_goes_on_where_it_was(
    desk: Desk, engine: Engine, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(engine, invent(40))
    monkeypatch.setattr(rebuild, "STEP", 10)
    rebuild.begin(engine, empty=True)
    assert rebuild.step(engine) is not None
    assert len(indexed(engine)) == 10
    assert rebuild.progress(engine) == (10, 40)
    desk.execute("UPDATE pro_localisations SET nom = nom || ' BIS' WHERE id % 2 = 0")
    assert step().agrees
    assert len(indexed(engine)) == 40
    assert not rebuild.is_ordered(engine)
    assert rebuild.step(engine) is None


def test_pages_that_changed_since_wait_and_are_no_difference(desk: Desk, engine: Engine) -> None:
    store(engine, invent(10))
    desk.execute("UPDATE pro_localisations SET nom = nom || ' BIS' WHERE id % 2 = 0")
    found = compared(engine)
    assert found.agrees
    assert (found.waiting, found.pages, found.entries) == (5, 5, 5)
