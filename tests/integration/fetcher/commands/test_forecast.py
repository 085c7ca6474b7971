"""A forecast names the requests that the walk then takes."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from services.fetcher.__main__ import app
from services.fetcher.commands.forecast import forecast
from services.fetcher.plan import windows
from services.fetcher.settings import FetcherSettings
from shared.errors import UserError
from shared.imports.scope import Scope
from tests.integration.fetcher.conftest import Fetcher, Insee, StartInsee, settings_of

MakeSettings = Callable[..., FetcherSettings]


@pytest.fixture
def environment(database_url: str) -> Callable[[Insee], dict[str, str]]:
    def make(insee: Insee) -> dict[str, str]:
        return {
            **settings_of(insee, database_url),
            "SIRENADE_INSEE_ROWS_PER_PAGE": "100",
            "SIRENADE_FETCHER_PARALLEL_BATCHES": "4",
        }

    return make


@pytest.fixture
def make_settings(
    environment: Callable[[Insee], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> MakeSettings:
    def make(insee: Insee) -> FetcherSettings:
        for name, value in environment(insee).items():
            monkeypatch.setenv(name, value)
        return FetcherSettings()

    return make


def test_a_forecast_is_what_the_walk_then_takes_and_asks_for_no_import(
    start_insee: StartInsee,
    make_settings: MakeSettings,
    make_fetcher: Callable[..., Fetcher],
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(windows, "MOST_ROWS_UNCUT", 200)
    insee = start_insee(establishments=950)
    scope = Scope(departements=["33"])

    found = forecast(make_settings(insee), scope, None)

    counts = insee.quota()["requests"]
    assert found.counts == counts > 1
    assert found.cost.rows == 950
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM import_runs")).scalar() == 0

    fetcher = make_fetcher(insee, rows_per_page=100)
    fetcher.order(scope)
    while True:
        fetcher.planner.turn()
        if not fetcher.outbox.pages:
            break
        fetcher.walk_to_the_end()
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE import_batches SET status = 'complete' WHERE status = 'running'")
            )
    assert insee.quota()["requests"] == counts + counts + found.cost.requests


def test_the_dry_run_of_the_command_line_prints_windows_and_cost(
    start_insee: StartInsee, environment: Callable[[Insee], dict[str, str]]
) -> None:
    insee = start_insee(establishments=950)
    arguments = ["import", "--departement", "33", "--departement", "75", "--plan"]
    result = CliRunner().invoke(app, arguments, env=environment(insee))
    assert result.exit_code == 0, result.output
    *lines, cost = result.output.splitlines()
    assert lines == [
        "         950 rows  codeCommuneEtablissement:33*",
        "           0 rows  codeCommuneEtablissement:75*",
    ]
    assert cost.startswith("2 windows, 950 rows, 11 requests, about 0.1 min")
    assert cost.endswith("counting took 2 requests, nothing is imported")


def test_a_wrong_key_is_one_line_for_who_asks(
    start_insee: StartInsee, make_settings: MakeSettings
) -> None:
    with pytest.raises(UserError, match="SIRENADE_INSEE_KEY"):
        forecast(make_settings(start_insee(key="another")), Scope(departements=["33"]), None)


def test_a_plan_is_read_once_a_fetcher_has_made_it(
    start_insee: StartInsee, make_fetcher: Callable[..., Any]
) -> None:
    fetcher = make_fetcher(start_insee(departements=("33", "24"), establishments=500))
    run_id = fetcher.order(Scope(departements=["33", "24"]))
    assert fetcher.store.read_plan(run_id) is None
    fetcher.planner.turn()
    assert sum(batch.expected for batch in fetcher.store.read_plan(run_id)) == 500
    assert fetcher.store.requests_per_minute() == 6000
