"""The commands `certify` and `repair`, and the statement of an import."""

import json
import re
import signal
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from services.fetcher.__main__ import app
from services.fetcher.certificates import certifier
from services.fetcher.commands import imports
from services.fetcher.commands.follow import follow
from shared.errors import UserError
from shared.imports.statement import StatementSubject, read_statement
from tests.integration.fetcher.certificates.conftest import World
from tests.integration.fetcher.conftest import Insee, settings_of


@pytest.fixture
def sirenade(world: World, database_url: str) -> Callable[..., Result]:
    def call(*arguments: str, **environment: str) -> Result:
        settings = {
            **settings_of(world.insee, database_url),
            "SIRENADE_INSEE_REQUESTS_PER_MINUTE": "10000",
            "COLUMNS": "200",
        }
        return CliRunner().invoke(app, arguments, env={**settings, **environment})

    return call


def test_the_command_says_its_cost_first_and_what_agrees(sirenade: Callable[..., Result]) -> None:
    result = sirenade("certify", "--departement", "33")
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("counts: 3 requests, about 0.1 min")
    assert result.stdout.startswith("counts agree: 650 = 650 (counts only")


def test_a_difference_is_listed_and_an_exit_status_and_its_repair_a_run(
    sirenade: Callable[..., Result], world: World
) -> None:
    lost = world.sirets()[3]
    world.delete(lost)
    result = sirenade("certify", "--departement", "33", "--departement", "75")
    assert result.exit_code == 1, result.output
    assert f"missing {lost}" in result.stdout
    assert "differs: 650 listed by INSEE, 649 stored, 1 missing, 0 surplus" in result.stdout
    assert "./sirenade repair --certificate 1 fetches just these, in 1 requests" in result.stdout

    repaired = sirenade("repair")
    assert repaired.exit_code == 0, repaired.output
    assert "1 establishments, 1 requests" in repaired.stdout
    world.work_off()

    as_json = sirenade("certify", "--departement", "33", "--full", "--json")
    found = json.loads(as_json.stdout)
    assert (as_json.exit_code, found["status"], found["missing_sirets"]) == (0, "agree", [])
    assert sirenade("repair").stdout.endswith("leaves nothing to repair\n")


def test_altered_contents_are_told_by_column_and_without_their_values(
    sirenade: Callable[..., Result], world: World
) -> None:
    agrees = sirenade("certify", "--departement", "33", "--content")
    assert "nothing else stored, contents equal in every column" in agrees.stdout
    assert "the walk: 1 requests" in agrees.stderr
    (siret,) = world.execute(
        "UPDATE etablissements SET enseigne1 = 'FAUX' WHERE siret = (SELECT min(siret)"
        " FROM etablissements WHERE statut_diffusion = 'O') RETURNING siret"
    )[0]
    differs = sirenade("certify", "--departement", "33", "--content")
    assert (differs.exit_code, "FAUX" in differs.output) == (1, False), differs.output
    assert f"altered {siret}" in differs.stdout
    assert re.search(r"column +. rows that differ", differs.stdout)
    assert re.search(r"etablissements.enseigne1 +. 1 ", differs.stdout)
    assert "0 missing, 0 surplus, 1 altered" in differs.stdout
    as_json = json.loads(
        sirenade("certify", "--departement", "33", "--full", "--content", "--json").stdout
    )
    assert (as_json["altered"], as_json["altered_sirets"]) == (1, [siret])
    assert as_json["altered_columns"] == {"etablissements.enseigne1": 1}
    assert as_json["windows"][0]["compared"] == "contents"
    assert "1 establishments, 1 requests" in sirenade("repair").stdout
    world.work_off()
    assert sirenade("certify", "--departement", "33", "--content").exit_code == 0


def test_a_repair_of_a_run_fetches_what_its_statement_misses(
    sirenade: Callable[..., Result], world: World
) -> None:
    lost: Sequence[str] = world.sirets()[5:7]
    world.delete(*lost)
    world.execute("UPDATE import_batches SET missing_sirets = :lost", lost=lost)
    assert "2 establishments" in sirenade("repair", "--run", "1").stdout
    assert "run 2 fetches the differences of run 1 already" in str(
        sirenade("repair", "--run", "1").exception
    )
    world.work_off()
    with world.engine.connect() as connection:
        assert read_statement(connection, StatementSubject(run_id=1)).is_kept


def test_an_import_that_is_watched_ends_with_its_statement(
    sirenade: Callable[..., Result], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work_and_follow(*run: Any, **options: Any) -> None:
        world.work_off()
        follow(*run, **options)

    monkeypatch.setattr(imports, "follow", work_and_follow)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    whole = sirenade("import", "--departement", "33")
    assert whole.exit_code == 0, whole.output
    assert whole.stderr.splitlines()[-1] == (
        "statement of run 2: expected 650, received 650, stored 650, failed items open 0, "
        "missing 0, surplus 0"
    )
    world.invent("77777777777777")
    broken = sirenade("import", "--departement", "33")
    assert broken.exit_code == 1
    assert "surplus 1" in broken.stderr
    assert "./sirenade statement --run 3 says where" in broken.stderr


def test_without_a_place_it_takes_what_was_imported(sirenade: Callable[..., Result]) -> None:
    result = sirenade("certify")
    assert result.stderr.startswith("scope: 33, as imported here\ncounts: 3 requests")


def test_a_mistake_is_one_line(sirenade: Callable[..., Result]) -> None:
    for arguments, said in {
        "repair": "no certificate yet",
        "repair --certificate 7": "no certificate 7",
        "repair --run 7": "no run 7",
        "repair --run 1 --certificate 1": "not both",
        "certify --departement 99X": "unknown département",
    }.items():
        result = sirenade(*arguments.split())
        assert isinstance(result.exception, UserError), arguments
        assert said in str(result.exception)


def test_a_void_certificate_has_an_exit_status_of_its_own(
    sirenade: Callable[..., Result], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certifier, "_LONGEST_WALK_MINUTES", 0.0)
    result = sirenade("certify", "--departement", "33", "--full")
    assert (result.exit_code, result.stdout[:35]) == (3, "void: 650 are listed and 650 stored")
    world.insee.publish(etat="DOWN")
    down = sirenade("certify", "--departement", "33")
    assert "its establishments are not up" in str(down.exception)
    assert world.execute("SELECT count(*) FROM certificates")[0][0] == 1


def test_an_insee_that_is_away_is_one_line_and_leaves_no_certificate(
    sirenade: Callable[..., Result], world: World
) -> None:
    away = sirenade(
        "certify", "--departement", "33", SIRENADE_INSEE_URL="http://127.0.0.1:9/api-sirene/3.11"
    )
    assert "INSEE gives no good answer" in str(away.exception)
    assert isinstance(away.exception, UserError)
    assert world.execute("SELECT count(*) FROM certificates")[0][0] == 0


def test_a_key_that_insee_refuses_is_named(
    start_insee: Callable[..., Insee], sirenade: Callable[..., Result], world: World
) -> None:
    world.insee = start_insee(key="another", requests_per_minute=60_000)
    refused = sirenade("certify", "--departement", "33")
    assert isinstance(refused.exception, UserError)
    assert "SIRENADE_INSEE_KEY" in str(refused.exception)
    assert world.execute("SELECT count(*) FROM certificates")[0][0] == 0
