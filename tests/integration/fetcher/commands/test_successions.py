"""Links of succession are walked under the quota and stored once."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from services.fetcher.__main__ import app
from services.fetcher.commands.succession_store import store_links
from tests.integration.commands import Sirenade, sirenade_of
from tests.integration.fetcher.conftest import Insee, settings_of


def _rows(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        query = text("SELECT * FROM successions ORDER BY siret_predecesseur")
        return list(connection.execute(query).all())


@pytest.fixture
def insee(
    start_insee: Callable[..., Insee], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Insee:
    insee = start_insee(establishments=1000)
    for name, value in settings_of(insee, database_url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SIRENADE_INSEE_ROWS_PER_PAGE", "8")
    return insee


@pytest.fixture
def sirenade(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sirenade:
    return sirenade_of(app, monkeypatch, capsys)


def test_all_links_since_a_day_are_stored_once(
    engine: Engine, insee: Insee, sirenade: Sirenade
) -> None:
    status, out, _ = sirenade("successions", "--since", "1900-01-01", "--json")
    assert (status, json.loads(out)) == (0, {"stored": 20, "bad": 0})
    stored = _rows(engine)
    assert len({row.siret_predecesseur for row in stored}) == 20
    assert insee.quota()["requests"] == 4, "three pages of eight, and the empty one"
    sirenade("successions", "--since", "1900-01-01")
    assert _rows(engine) == stored
    one = stored[3]
    out = sirenade("successions", "--siret", one.siret_predecesseur)[1]
    assert "1 links stored" in out
    assert "0 links stored" in sirenade("successions", "--since", "2999-01-01")[1]


def test_a_link_that_cannot_be_read_is_counted_and_an_older_one_changes_nothing(
    engine: Engine,
) -> None:
    link = {
        "siretEtablissementPredecesseur": "00000001800001",
        "siretEtablissementSuccesseur": "00000002600001",
        "dateLienSuccession": "2020-01-01",
        "transfertSiege": True,
        "continuiteEconomique": False,
        "dateDernierTraitementLienSuccession": "2020-02-01T12:00:00.000",
    }
    broken = [7, {}, link | {"dateLienSuccession": "soon"}, link | {"transfertSiege": "yes"}]
    assert store_links(engine, [link, *broken]) == (1, 4)
    older = {"dateDernierTraitementLienSuccession": "2020-01-01", "transfertSiege": False}
    store_links(engine, [link | older])
    (row,) = _rows(engine)
    assert (row.transfert_siege, row.continuite_economique) == (True, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say which: --since DAY, or --siret SIRET"),
        (["--since", "tomorrow"], "'tomorrow' is not a day: 2026-07-01"),
        (["--siret", "7"], "'7' is not a siret: fourteen digits"),
    ],
)
def test_a_mistake_gets_one_clear_line(
    sirenade: Sirenade, arguments: list[str], message: str
) -> None:
    status, _, err = sirenade("successions", *arguments)
    assert status == 2
    assert message in err
