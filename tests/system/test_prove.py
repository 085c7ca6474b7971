"""The command that proves the promises, on a small import."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local import processes
from tests.conditions import wait_until
from tests.system.conftest import API, ROOT, Insee


def prove(
    what: str, directory: Path, *options: str, **environment: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [
            *(sys.executable, "-m", "services.dispatch", "prove", what),
            *("--directory", str(directory), *options),
        ],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def stands_alone(page: str) -> bool:
    """Return whether the page names no address, except SVG's namespaces."""
    for name in ("www.w3.org", "purl.org", "matplotlib.org", "creativecommons.org"):
        page = page.replace(f"http://{name}", "").replace(f"https://{name}", "")
    return "http" not in page


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_short_days_are_proved_and_told_on_a_page(tmp_path: Path) -> None:
    small = ("--days", "2", "--per-day", "3000", "--quota", "60", "--continuous")
    # The command asks nothing of a real set-up, and sends its key nowhere.
    real = {"SIRENADE_INSEE_KEY_FILE": "/nowhere", "SIRENADE_DATABASE_URL_FILE": "/nowhere"}
    ended = prove("import", tmp_path, *small, "--day-seconds", "8", **real)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    proof = json.loads((tmp_path / "import" / "proof.json").read_text())
    assert proof["samples"][-1]["received"] == 6000
    assert all(each["kept"] for each in proof["promises"])
    page = (tmp_path / "import" / "proof.html").read_text()
    assert "every promise kept" in page
    assert page.count("<svg") == 6
    assert stands_alone(page)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_readers_beside_an_import_see_nothing_stale_and_leave_nothing_behind(
    tmp_path: Path,
) -> None:
    """Times and slots are not judged here: other tests may use the cores."""
    small = ("--days", "1", "--per-day", "6000", "--quota", "60", "--reads", "20")
    ended = prove("import", tmp_path, *small)
    proof = json.loads((tmp_path / "import" / "proof.json").read_text())
    broken = {each["name"] for each in proof["promises"] if not each["kept"]}
    assert broken <= {"slot use", "search, p95", "page, p95", "lag of the index, p95"}, ended.stdout
    assert ended.returncode == (1 if broken else 0), ended.stderr
    assert proof["reads"]["erasures"] > 0
    assert proof["reads"]["page"]["answers"] > 100
    page = (tmp_path / "import" / "proof.html").read_text()
    assert page.count("<svg") == 8
    assert stands_alone(page)
    assert processes.processes_below(tmp_path) == []
    left = {path.name for path in (tmp_path / "import").iterdir()}
    assert left == {"logs", "proof.html", "proof.json"}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_proof_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "services.dispatch", "prove", "import")
    options = ("--directory", str(tmp_path), "--days", "1", "--reads", "2")
    readers = tmp_path / "import" / "logs" / "readers.log"
    with subprocess.Popen([*command, *options], cwd=ROOT) as process:
        wait_until(readers.exists, seconds=120)
        process.kill()
    wait_until(lambda: processes.processes_below(tmp_path) == [], seconds=60)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_only_when_told_to_the_import_asks_insee_itself_with_the_settings_of_the_environment(
    tmp_path: Path, start_insee: Callable[..., Insee]
) -> None:
    """A simulator that was started apart stands in for INSEE: it counts, and has more to offer."""
    insee = start_insee(establishments=6000, requests_per_minute=120)
    key_file = tmp_path / "key"
    key_file.write_text("the-key-that-no-file-may-hold\n")
    ended = prove(
        *("import", tmp_path, "--days", "2", "--per-day", "2500", "--real"),
        *("--continuous", "--day-seconds", "12"),
        SIRENADE_INSEE_URL=insee.root + API,
        SIRENADE_INSEE_KEY_FILE=str(key_file),
        SIRENADE_INSEE_REQUESTS_PER_MINUTE="120",
        SIRENADE_INSEE_ROWS_PER_PAGE="250",
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    proof = json.loads((tmp_path / "import" / "proof.json").read_text())
    measured = {each["name"]: each["measured"] for each in proof["promises"]}
    assert measured["establishments stored"] == "5\N{NO-BREAK SPACE}000"
    assert (measured["missing"], measured["surplus"]) == ("0", "0")
    assert proof["quota_per_minute"] == 120
    assert "simulator" not in {each["name"] for each in proof["servers"]}
    quota = insee.quota()
    assert quota["http_429"] == 0
    assert proof["samples"][-1]["requests"] == 20
    for file in (tmp_path / "import").rglob("*.*"):
        assert not file.is_file() or b"the-key-that-no-file-may-hold" not in file.read_bytes()


@pytest.mark.parametrize(
    ("options", "environment", "problem"),
    [
        ((), {}, "--real wants a key: set SIRENADE_INSEE_KEY_FILE or SIRENADE_INSEE_KEY"),
        (
            ("--quota", "5"),
            {"SIRENADE_INSEE_KEY": "k"},
            "--quota is the simulator's; with --real: SIRENADE_INSEE_REQUESTS_PER_MINUTE",
        ),
        ((), {"SIRENADE_INSEE_KEY_FILE": "/nowhere"}, "settings:"),
    ],
)
def test_what_the_real_api_needs_is_asked_for_before_anything_starts(
    tmp_path: Path, options: tuple[str, ...], environment: dict[str, str], problem: str
) -> None:
    ended = prove("import", tmp_path, "--real", *options, **environment)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"error: {problem}")
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "import").exists()


def test_a_phase_that_is_none_is_told_in_one_line(tmp_path: Path) -> None:
    ended = prove("import", tmp_path, "--phase", "3")
    assert ended.returncode == 2
    assert ended.stderr.strip().splitlines() == [
        "error: --phase 3: there are 1 (7 days) and 2 (15 days)"
    ]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_five_blows_in_mid_import_lose_and_double_nothing(tmp_path: Path) -> None:
    ended = prove("chaos", tmp_path, "--seed", "7", "--kills", "5", "--rows", "4000")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "blows struck while there was work" in ended.stdout + ended.stderr


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_short_soak_brings_its_deltas_and_is_told_on_a_page(tmp_path: Path) -> None:
    ended = prove("soak", tmp_path, "--hours", "0.025")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    proof = json.loads((tmp_path / "soak" / "proof.json").read_text())
    measured = {each["name"]: each["measured"] for each in proof["promises"]}
    assert int(measured["deltas complete"]) >= 1
    assert int(measured["changes that deltas brought"]) > 0
    assert int(measured["avis accepted, of those due"]) > 0
    assert "file descriptors of operator-1" in measured
    assert {each["name"] for each in proof["servers"]} == {"postgres", "rabbitmq", "simulator"}
    page = (tmp_path / "soak" / "proof.html").read_text()
    assert "every promise kept" in page
    assert stands_alone(page)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_generators_against_a_slow_chat_server_lose_no_text_and_pay_for_none_twice(
    tmp_path: Path,
) -> None:
    """The rate is not judged here: other tests may use the cores."""
    ended = prove("avis", tmp_path, "--texts", "200", "--generators", "20", "--latency", "0.5-1.5")
    proof = json.loads((tmp_path / "avis" / "proof.json").read_text())
    broken = {each["name"] for each in proof["promises"] if not each["kept"]}
    assert broken <= {"answers a second, of generators / mean latency"}, ended.stdout
    assert ended.returncode == (1 if broken else 0), ended.stderr
    assert proof["ledger"]["refused"] == 200 // 24
    assert proof["mean_latency_seconds"] >= 0.5
    assert stands_alone((tmp_path / "avis" / "proof.html").read_text())


@pytest.mark.parametrize("latency", ["two", "5-2", "0-1", "1-100", "3"])
def test_a_latency_that_is_none_is_told_in_one_line(tmp_path: Path, latency: str) -> None:
    ended = prove("avis", tmp_path, "--latency", latency)
    assert ended.returncode == 2
    [line] = ended.stderr.strip().splitlines()
    assert line.startswith(f"error: --latency {latency}: ")
