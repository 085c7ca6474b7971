"""An import that is ordered twice says so, and a changed share says what it changes."""

import json

import pytest
from sqlalchemy import Engine, text

from services.fetcher.__main__ import app
from shared.imports import halts
from tests.integration.commands import Sirenade, sirenade_of


@pytest.fixture
def sirenade(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Sirenade:
    monkeypatch.setenv("SIRENADE_DATABASE_URL", database_url)
    return sirenade_of(app, monkeypatch, capsys)


def _runs(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM import_runs")).scalar_one())


def test_the_same_import_ordered_twice_names_the_run_and_orders_nothing(
    sirenade: Sirenade, engine: Engine
) -> None:
    one = ("import", "--departement", "33", "--departement", "24", "--no-wait")
    assert sirenade(*one).out == "run 1 is ordered\n"
    same = sirenade("import", "--departement", "24", "--departement", "33", "--no-wait")
    assert (same.status, same.out) == (
        0,
        "run 1 imports this already and goes on where it is (--again orders a second walk)\n",
    )
    assert json.loads(sirenade(*one, "--json").out) == {
        "run_id": 1,
        "goes_on": True,
        "change": None,
    }
    assert _runs(engine) == 1
    assert sirenade(*one, "--again").out == "run 2 is ordered\n"
    assert sirenade(*one, "--limit", 10).out == "run 3 is ordered\n"


def test_an_order_over_a_paused_run_says_who_paused_it_and_does_not_wait(
    sirenade: Sirenade, engine: Engine
) -> None:
    sirenade("import", "--departement", "33", "--no-wait")
    with engine.begin() as connection:
        halts.pause(connection, 1, by="Ada", reason="the disk is moved")
    told = sirenade("import", "--departement", "33")
    assert told.status == 0
    assert "run 1 is paused by Ada since" in told.out
    assert "./sirenade runs resume 1" in told.out


def test_another_share_over_a_running_import_says_what_it_changes(sirenade: Sirenade) -> None:
    daily = ("import", "--departement", "33", "--continuous", "--no-wait", "--per-day")
    assert sirenade(*daily, 3000).out == "run 1 is ordered\n"
    assert (
        "goes on where it is, 5\N{NO-BREAK SPACE}000 rows a day from now on,"
        " until now 3\N{NO-BREAK SPACE}000 rows a day" in sirenade(*daily, 5000).out
    )
    assert "from now on" not in sirenade(*daily, 5000).out
    # The same scope without a share changes nothing, and tells the share.
    assert "5\N{NO-BREAK SPACE}000 rows a day" in (
        sirenade("import", "--departement", "33", "--no-wait").out
    )
