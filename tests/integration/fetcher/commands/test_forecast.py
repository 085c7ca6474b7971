"""A forecast names the requests that the walk then takes."""

from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from services.fetcher.__main__ import app
from services.fetcher.commands.forecast import forecast
from services.fetcher.plan import windows
from services.fetcher.settings import FetcherSettings
from shared.errors import UserError
from shared.imports.scope import Scope
from tests.integration.fetcher.conftest import Insee, MakeFetcher, StartInsee, settings_of

MakeSettings = Callable[..., FetcherSettings]


@pytest.fixture
def make_settings(database_url: str, monkeypatch: pytest.MonkeyPatch) -> MakeSettings:
    """Set the environment of commands; the maker returns its settings."""

    def make(insee: Insee) -> FetcherSettings:
        for name, value in settings_of(insee, database_url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SIRENADE_INSEE_ROWS_PER_PAGE", "100")
        monkeypatch.setenv("SIRENADE_FETCHER_PARALLEL_BATCHES", "4")
        return FetcherSettings()

    return make


def test_a_forecast_is_what_the_walk_then_takes_and_asks_for_no_import(
    start_insee: StartInsee,
    make_settings: MakeSettings,
    make_fetcher: MakeFetcher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(windows, "MOST_ROWS_UNCUT", 200)
    insee = start_insee(establishments=950)
    scope = Scope(departements=["33"])

    found = forecast(make_settings(insee), scope, None)

    counts = insee.quota()["requests"]
    assert found.counts == counts > 1
    assert found.cost.rows == 950

    fetcher = make_fetcher(insee, rows_per_page=100)
    assert fetcher.value("SELECT count(*) FROM import_runs") == 0
    fetcher.order(scope)
    fetcher.planner.turn()
    fetcher.walk_all_batches()
    informations = 1
    planned = counts + informations + counts
    assert insee.quota()["requests"] == planned + found.cost.requests


def test_the_dry_run_of_the_command_line_prints_windows_and_cost(
    start_insee: StartInsee, make_settings: MakeSettings
) -> None:
    make_settings(start_insee(establishments=950))
    arguments = ["import", "--departement", "33", "--departement", "75", "--plan"]
    result = CliRunner().invoke(app, arguments)
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
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(departements=("33", "24"), establishments=500))
    run_id = fetcher.order(Scope(departements=["33", "24"]))
    assert fetcher.store.read_plan(run_id) is None
    fetcher.planner.turn()
    assert sum(batch.expected or 0 for batch in fetcher.store.read_plan(run_id) or ()) == 500
    assert fetcher.store.requests_per_minute() == 6000
