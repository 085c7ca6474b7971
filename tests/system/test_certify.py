"""Certify, repair and statement as people call them, beside services that are at work."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from shared.imports.progress import Progress
from tests.system.conftest import API, ROOT, Insee, Processes, column, wait_for

_CERTIFY = ("certify", "--departement", "33", "--full", "--json")


@pytest.fixture
def insee(start_insee: Callable[..., Insee]) -> Insee:
    return start_insee(establishments=1500, requests_per_minute=240)


@pytest.fixture
def processes(
    insee: Insee, rabbitmq_url: str, make_processes: Callable[..., Processes]
) -> Processes:
    return make_processes(
        broker_url=rabbitmq_url,
        insee_url=insee.root + API,
        insee_requests_per_minute=240,
        insee_rows_per_page=50,
    )


def start(processes: Processes, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "services.dispatch", *arguments],
        cwd=ROOT,
        env={**processes.environment, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def call(processes: Processes, *arguments: str, **settings: str) -> tuple[int, str, str]:
    process = start(processes, *arguments, **settings)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def certified(processes: Processes) -> tuple[int, dict[str, Any]]:
    status, out, err = call(processes, *_CERTIFY)
    assert out, err
    return status, json.loads(out)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_is_lost_is_found_repaired_and_certified_under_the_quota_of_all(
    engine: Engine,
    insee: Insee,
    processes: Processes,
    request_import: Callable[..., None],
    progress: Callable[[], Progress],
) -> None:
    for name in ("fetcher-1", "writer-1"):
        processes.start(name)
    request_import("33")
    wait_for(lambda: progress().received > 200, seconds=60, what="some rows")
    # Beside an import: what it has not brought yet is missing, or has come by the end.
    status, found = certified(processes)
    assert found["status"] in {"agree", "differ"}, found
    assert (status == 0) == (found["status"] == "agree")
    wait_for(lambda: progress().runs_open == 0, seconds=90, what="the end of the import")
    assert call(processes, "statement")[0] == 0
    assert certified(processes)[1]["status"] == "agree"

    lost = column(engine, "SELECT siret FROM etablissements ORDER BY md5(siret) LIMIT 120")
    with engine.begin() as connection:
        connection.execute(
            text("DELETE FROM etablissements WHERE siret = ANY(:lost)"), {"lost": lost}
        )
    status, found = certified(processes)
    assert (status, found["missing_sirets"]) == (1, sorted(lost))

    assert call(processes, "repair")[0] == 0
    wait_for(lambda: progress().runs_open == 0, seconds=60, what="the repair")
    assert certified(processes)[0] == 0
    assert insee.quota()["http_429"] == 0


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_certificate_whose_process_is_killed_claims_nothing(
    engine: Engine, insee: Insee, processes: Processes
) -> None:
    process = start(processes, *_CERTIFY)
    walked = "SELECT 1 FROM insee_requests WHERE records = 50"
    wait_for(lambda: column(engine, walked), seconds=60, what="a page of the walk")
    process.kill()
    process.communicate(timeout=10)

    assert column(engine, "SELECT status FROM certificates") == ["running"]
    status, _, err = call(processes, "repair")
    assert status == 2
    assert err.startswith("error: there is no certificate yet")
    assert certified(processes)[1]["status"] == "differ"
    assert insee.quota()["http_429"] == 0


@pytest.mark.slow
def test_bad_luck_and_bad_input_are_one_line_and_status_2(
    insee: Insee, processes: Processes
) -> None:
    assert insee
    for settings, said in (
        ({"SIRENADE_INSEE_URL": "http://127.0.0.1:9/api-sirene/3.11"}, "no good answer"),
        ({"SIRENADE_DATABASE_URL": "postgresql://x@127.0.0.1:1/none"}, "does not answer"),
        ({"SIRENADE_INSEE_KEY": ""}, "SIRENADE_INSEE_KEY"),
    ):
        status, out, err = call(processes, *_CERTIFY, **settings)
        assert (status, out) == (2, ""), err
        assert said in err
        assert "Traceback" not in err
