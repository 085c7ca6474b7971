"""`./sirenade search` makes and compares the index of Elasticsearch, where it is switched on."""

import json

import pytest
from sqlalchemy import Engine

from services.portal.index.commands import app
from tests.integration.commands import Sirenade, sirenade_of
from tests.integration.portal.elastic import Elastic
from tests.integration.portal.search.invented import invent, store
from tests.integration.writer.desk import Desk


@pytest.fixture
def search(
    database_url: str,
    elastic: Elastic,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Sirenade:
    monkeypatch.setenv("SIRENADE_DATABASE_URL", database_url)
    for name, value in elastic.named.items():
        monkeypatch.setenv(f"SIRENADE_{name.upper()}", value)
    return sirenade_of(app, monkeypatch, capsys)


def test_it_is_made_and_compared(desk: Desk, engine: Engine, search: Sirenade) -> None:
    store(engine, invent(40))
    status, _, err = search("check")
    assert (status, "no index yet" in err) == (2, True)
    status, out, _ = search("rebuild")
    assert (status, "Elasticsearch has a new index" in out) == (0, True)
    status, out, _ = search("check")
    assert (status, "40 = 40: pages that may be found, and documents" in out) == (0, True)
    desk.execute("UPDATE pro_localisations SET nom = 'BIDULE' WHERE id = 3")
    found = json.loads(search("check", "--json")[1])
    assert (found["elasticsearch"]["waiting"], found["agrees"]) == (1, True)


def test_what_differs_is_told(
    engine: Engine, search: Sirenade, elastic: Elastic, database_url: str
) -> None:
    store(engine, invent(40))
    search("rebuild")
    indexes = elastic.indexes(database_url)
    [first, second] = [f"/{indexes.served}/_doc/{id_}" for id_ in (5, 6)]
    indexes.server.ask("DELETE", first)
    indexes.server.ask("PUT", second, {"id": 6, "names": ["x"], "digest": "x"}, also={201})
    stray = f"/{indexes.served}/_doc/9000"
    indexes.server.ask("PUT", stray, {"id": 9000, "names": ["x"], "digest": "x"}, also={201})
    status, out, _ = search("check", "--json")
    found = json.loads(out)
    assert status == 1
    told = found["elasticsearch"]
    assert (told["missing"], told["altered"], told["surplus"]) == (1, 1, 1)
    status, out, _ = search("check")
    assert "1 documents without a page that may be found" in out
    search("rebuild")
    assert search("check")[0] == 0


def test_what_it_has_can_be_deleted(
    engine: Engine, search: Sirenade, elastic: Elastic, database_url: str
) -> None:
    store(engine, invent(5))
    search("rebuild")
    indexes = elastic.indexes(database_url)
    assert indexes.name_of(indexes.served) is not None
    assert search("drop")[0] == 0
    assert indexes.name_of(indexes.served) is None


def test_a_server_that_is_away_is_one_clear_line(
    engine: Engine, search: Sirenade, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(engine, invent(5))
    monkeypatch.setenv("SIRENADE_ELASTICSEARCH_URL", "http://127.0.0.1:9")
    status, _, err = search("rebuild")
    assert status == 2
    assert "Elasticsearch does not answer" in err
    assert "Traceback" not in err
