"""The command orders units anew, waits, and tells what has changed."""

import json
import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text

from services.fetcher.__main__ import app
from services.writer.store import write_slice
from shared.imports.held import read_held
from shared.imports.orders import order_refresh
from shared.imports.scope import Scope
from tests.integration.commands import Sirenade, sirenade_of
from tests.integration.fetcher.conftest import API, Fetcher, Insee, MakeFetcher, settings_of

_UNKNOWN = "99999999999999"


@pytest.fixture
def insee(start_insee: Callable[..., Insee]) -> Insee:
    return start_insee()


@pytest.fixture
def siret(insee: Insee) -> str:
    return str(insee._ask(f"{API}/siret?nombre=1")["etablissements"][0]["siret"])


@pytest.fixture
def sirenade(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    insee: Insee,
    database_url: str,
) -> Sirenade:
    for name, value in settings_of(insee, database_url).items():
        monkeypatch.setenv(name, value)
    return sirenade_of(app, monkeypatch, capsys)


def _turn(fetcher: Fetcher) -> None:
    """Plan, walk and write what is ordered."""
    fetcher.planner.turn()
    fetcher.walk_to_the_end()
    while fetcher.outbox.slices:
        write_slice(fetcher.engine, fetcher.outbox.slices.pop(0), sole_traders=False)


@pytest.fixture
def services(insee: Insee, make_fetcher: MakeFetcher) -> Iterator[None]:
    """Fetcher and writer at work beside the command."""
    fetcher, ending = make_fetcher(insee), threading.Event()

    def work() -> None:
        while not ending.wait(0.1):
            _turn(fetcher)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    ending.set()
    thread.join()


def test_a_unit_is_asked_for_by_one_query_and_no_import_holds_it(
    engine: Engine, insee: Insee, make_fetcher: MakeFetcher, siret: str
) -> None:
    fetcher = make_fetcher(insee)
    with engine.begin() as connection:
        order_refresh(connection, Scope.of_unit(siret[:9]))
    before = insee.quota()["requests"]
    fetcher.planner.turn()
    fetcher.walk_to_the_end()
    assert insee.quota()["requests"] == before + 1
    assert fetcher.value("SELECT query FROM import_batches") == f"siren:{siret[:9]}"
    assert siret in fetcher.outbox.sirets()
    assert all(each.refresh for each in fetcher.outbox.slices)
    with engine.connect() as connection:
        assert read_held(connection) == [Scope()]
    fetcher.plan("33", row_limit=1)
    fetcher.walk_to_the_end()
    assert not fetcher.outbox.slices[-1].refresh


def _objects(out: str) -> list[dict[str, str]]:
    """Return the lines of the command, without those of the services' log."""
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


@pytest.mark.usefixtures("services")
def test_the_command_stores_what_comes_and_tells_it(
    engine: Engine, sirenade: Sirenade, siret: str
) -> None:
    status, out, _ = sirenade("refresh", siret, siret[:9], _UNKNOWN, "--json")
    assert status == 0
    first, unit, unknown = _objects(out)
    assert (first["number"], first["insee"], first["before"]) == (siret, "listed", "not stored")
    assert unit["now"][1:4] in {" O ", " P "}
    assert (unknown["insee"], unknown["now"]) == ("unknown", "not stored")
    with engine.begin() as connection:
        connection.execute(
            text("""UPDATE etablissements SET etat_administratif = NULL, content_hash = '',
              date_dernier_traitement = '2099-01-01' WHERE siret = :siret"""),
            {"siret": siret},
        )
    status, out, _ = sirenade("refresh", siret)
    assert status == 0
    assert siret in out
    assert "2099-01-01" in out
    _, out, _ = sirenade("refresh", siret, "--json")
    (row,) = _objects(out)
    assert row["before"] == row["now"] == first["now"]


def test_a_mistake_gets_one_clear_line(sirenade: Sirenade) -> None:
    status, _, err = sirenade("refresh", "12")
    assert status == 2
    assert "'12' is neither a siren nor a siret" in err
