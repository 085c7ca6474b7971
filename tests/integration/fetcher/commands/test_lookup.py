"""INSEE tells what became of single numbers."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from services.fetcher.__main__ import app
from services.fetcher.insee.client import InseeClient
from services.fetcher.lookups import LookedUp, record, unlisted_sirets
from shared.errors import UserError
from shared.imports.orders import order_import
from shared.imports.scope import Scope
from tests.integration.commands import Sirenade, sirenade_of
from tests.integration.fetcher.conftest import API, Insee, settings_of

_UNKNOWN = "99999999999999"


@pytest.fixture
def insee(start_insee: Callable[..., Insee]) -> Insee:
    return start_insee(establishments=20_000)


def _redirections(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT siren_or_siret, target FROM redirections")).all()
    return {row.siren_or_siret: row.target for row in rows}


def test_each_answer_is_told_and_a_duplicate_s_target_is_kept(
    engine: Engine, insee: Insee, make_fetcher: Callable[..., Any]
) -> None:
    inquirer = make_fetcher(insee).inquirer
    specials = insee._ask("/__specials")
    duplicate, target = next(iter(specials["doublons"].items()))
    secret = specials["non_diffusibles"][0]
    siret = insee._ask(f"{API}/siret?nombre=1")["etablissements"][0]["siret"]
    before = insee.quota()["requests"]
    found = {
        number: record(engine, number, inquirer.ask(InseeClient.one, number))
        for number in (duplicate, f"{duplicate}00011", secret, siret, siret[:9], _UNKNOWN)
    }
    assert insee.quota()["requests"] == before + 6, "no redirection was followed"
    assert found[duplicate] == LookedUp(duplicate, "moved", target)
    moved = found[f"{duplicate}00011"]
    assert (moved.state, str(moved.target)[:9]) == ("moved", target)
    assert found[secret].state == "withheld"
    assert found[siret].state == found[siret[:9]].state == "listed"
    assert found[_UNKNOWN].state == "unknown"
    assert _redirections(engine) == {duplicate: target, f"{duplicate}00011": moved.target}
    record(engine, duplicate, inquirer.ask(InseeClient.one, siret))
    assert duplicate not in _redirections(engine)


def test_an_answer_that_is_not_insee_s_is_none(
    insee: Insee, make_fetcher: Callable[..., Any]
) -> None:
    inquirer = make_fetcher(Insee(insee.url + "/nowhere")).inquirer
    with pytest.raises(UserError, match="no good answer"):
        inquirer.ask(InseeClient.one, "552032534")


def test_what_failed_and_is_not_listed_by_its_retry_is_to_be_looked_up(engine: Engine) -> None:
    listed, unlisted, never_retried = "00000001800001", "00000001800002", "00000001800003"
    with engine.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO failed_items (kind, key, code, message, created_at)
                SELECT 'write', key, 'c', 'm', now() - interval '1 day'
                FROM unnest(CAST(:keys AS text[])) AS key
            """),
            {"keys": [listed, unlisted, never_retried]},
        )
        run_id = order_import(connection, Scope())
        connection.execute(
            text("""
                WITH b AS (
                  INSERT INTO import_batches (run_id, number, query, sirets, status)
                  VALUES (:run_id, 1, 'q', :sirets, 'complete') RETURNING id)
                INSERT INTO slice_receipts (batch_id, page, fetch_id, slice, records, sirets)
                SELECT id, 1, 1, 0, 1, :listed FROM b
            """),
            {"run_id": run_id, "sirets": [listed, unlisted], "listed": [listed]},
        )
    assert unlisted_sirets(engine) == [unlisted]


@pytest.fixture
def sirenade(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sirenade:
    return sirenade_of(app, monkeypatch, capsys)


def test_the_command_tells_each_number_on_a_line(
    insee: Insee, database_url: str, sirenade: Sirenade, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings_of(insee, database_url).items():
        monkeypatch.setenv(name, value)
    status, out, _ = sirenade("lookup", _UNKNOWN, "--json")
    assert status == 0
    assert json.loads(out) == {
        "number": _UNKNOWN,
        "state": "unknown",
        "target": None,
        "page_closed": False,
    }
    status, out, _ = sirenade("lookup", "--unlisted")
    assert status == 0
    assert "nothing to look up" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say which: SIREN|SIRET…, or --unlisted"),
        (["12"], "'12' is neither a siren nor a siret"),
    ],
)
def test_a_mistake_gets_one_clear_line(
    sirenade: Sirenade, arguments: list[str], message: str
) -> None:
    status, _, err = sirenade("lookup", *arguments)
    assert status == 2
    assert message in err
