"""The command that proves the promises, over a small import."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.conftest import ROOT


def prove(what: str, directory: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [
            *(sys.executable, "-m", "services.dispatch", "prove", what),
            *("--directory", str(directory), *options),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def stands_alone(page: str) -> bool:
    """It names addresses only where SVG says what its words mean."""
    for name in ("www.w3.org", "purl.org", "matplotlib.org", "creativecommons.org"):
        page = page.replace(f"http://{name}", "").replace(f"https://{name}", "")
    return "http" not in page


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_short_days_are_proved_and_told_on_a_page(tmp_path: Path) -> None:
    small = ("--days", "2", "--per-day", "3000", "--quota", "60", "--continuous")
    ended = prove("import", tmp_path, *small, "--day-seconds", "8")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    proof = json.loads((tmp_path / "import" / "proof.json").read_text())
    assert proof["samples"][-1]["received"] == 6000
    assert all(each["kept"] for each in proof["promises"])
    page = (tmp_path / "import" / "proof.html").read_text()
    assert "every promise kept" in page
    assert page.count("<svg") == 5
    assert stands_alone(page)


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
    """The rate is told, and not judged here: other tests may have the cores."""
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
