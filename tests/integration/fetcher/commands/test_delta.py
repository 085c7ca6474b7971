"""`./sirenade delta`: its order, its forecast, and its last lines."""

import json
import threading
import time
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from services.fetcher.__main__ import app
from shared.errors import UserError
from shared.terminal.cli import EXIT_BROKEN_PROMISE
from tests.integration.fetcher.conftest import MakeFetcher, StartInsee, settings_of
from tests.integration.fetcher.register_copy import Copy, end_of

SINCE = "2026-08-03T00:00"


@pytest.fixture
def copy(start_insee: StartInsee, make_fetcher: MakeFetcher) -> Copy:
    insee = start_insee(establishments=300)
    return Copy(insee, make_fetcher(insee))


@pytest.fixture
def sirenade(copy: Copy, database_url: str) -> Callable[..., Result]:
    environment = settings_of(copy.insee, database_url)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["delta", *arguments], env=environment)

    return invoke


@pytest.fixture
def at_work(copy: Copy) -> Callable[[], None]:
    """Carry out the orders, beside the command that watches them."""

    def work() -> None:
        deadline_seconds = time.monotonic() + 30
        while time.monotonic() < deadline_seconds:
            copy.work_off()
            ended = copy.one("SELECT count(*) FROM import_runs WHERE completed_at IS NOT NULL")
            if ended:
                return

    return lambda: threading.Thread(target=work, daemon=True).start()


def test_without_a_date_it_says_what_to_do_and_orders_nothing(
    copy: Copy, sirenade: Callable[..., Result]
) -> None:
    result = sirenade()
    assert isinstance(result.exception, UserError)
    assert "give --since once" in str(result.exception)
    assert copy.one("SELECT count(*) FROM import_runs") == 0


def test_the_plan_says_windows_rows_and_cost_and_orders_nothing(
    copy: Copy, sirenade: Callable[..., Result]
) -> None:
    result = sirenade("--since", SINCE, "--plan")
    assert result.exit_code == 0, result.output
    first, second, cost = result.stdout.splitlines()
    assert "dateDernierTraitementEtablissement:[2026-08-03T00:00:00.000 TO 2026-08-05T" in first
    assert "dateDernierTraitementUniteLegale:[2026-08-03T00:00:00.000 TO 2026-08-05T" in second
    assert cost.startswith("2 windows, ")
    assert cost.endswith("counting took 3 requests, nothing is imported")
    assert copy.insee.quota()["requests"] == 3
    assert copy.one("SELECT count(*) FROM import_runs") == 0


def test_a_date_with_an_offset_is_kept_as_paris_time(
    copy: Copy, sirenade: Callable[..., Result]
) -> None:
    result = sirenade("--since", "2026-08-03T22:00:00Z", "--no-wait", "--json")
    run_id = json.loads(result.stdout)["run_id"]
    assert copy.run(run_id)["since"].isoformat() == "2026-08-04T00:00:00"


def test_it_shows_the_way_and_says_how_far_the_register_is_complete(
    sirenade: Callable[..., Result], at_work: Callable[[], None]
) -> None:
    at_work()
    result = sirenade("--since", SINCE, "--json")
    assert result.exit_code == 0, result.output
    # The log of the fetcher in this same process stands above it.
    outcome = json.loads(result.stdout.splitlines()[-1])
    assert outcome["received"] == outcome["expected"] > 0
    assert outcome["treated_until"] == str(end_of("2026-08-05"))
    assert "etablissements: complete up to 2026-08-05 00:05:52, Paris time" in result.stderr
    assert "unites_legales: complete up to 2026-08-05 00:05:52, Paris time" in result.stderr


def test_nothing_new_is_said_and_is_no_fault(
    copy: Copy, sirenade: Callable[..., Result], at_work: Callable[[], None]
) -> None:
    copy.delta(since=end_of("2026-08-05"))
    copy.rows("UPDATE import_runs SET completed_at = NULL")
    at_work()
    result = sirenade()
    assert result.exit_code == 0, result.output
    assert "INSEE has published nothing after 2026-08-05 00:05" in result.stderr


def test_a_delta_that_fails_is_a_broken_promise(
    copy: Copy, sirenade: Callable[..., Result], at_work: Callable[[], None]
) -> None:
    copy.insee.set_faults(next_errors=100, error_status=400)
    at_work()
    result = sirenade("--since", SINCE)
    assert result.exit_code == EXIT_BROKEN_PROMISE
    assert "INSEE answers 400" in result.stderr
