"""The simulator as it is started by hand, by `make` and by the demo."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from services.simulator.gateway.server import KEY_HEADER

Launch = Callable[..., tuple[subprocess.Popen[str], str]]
_ROOT = Path(__file__).parents[3]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.simulator", *arguments],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"COLUMNS": "160", "TERM": "dumb"},
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_address_once_it_listens_and_ends_cleanly(
    launch: Launch, number: signal.Signals
) -> None:
    process, root = launch("--establishments", "500")
    url = f"{root}/api-sirene/3.11"
    session = requests.Session()
    answer = session.get(f"{url}/siret", headers={KEY_HEADER: "demo"}, timeout=10)
    assert answer.json()["header"]["total"] == 500
    process.send_signal(number)
    output, errors = process.communicate(timeout=10)
    session.close()
    assert process.returncode == 0
    assert output == f"INSEE simulator listening on {url}\n"
    assert errors == ""


def test_the_options_reach_the_server(launch: Launch, insee: Path) -> None:
    _, root = launch(
        *("--records", str(insee / "etablissements.jsonl")),
        *("--requests-per-minute", "2", "--no-rate-headers", "--key", "cle"),
        *("--error-shape", "insee", "--latency-ms", "1", "--day-of-404", "2024-03-30"),
    )
    url = f"{root}/api-sirene/3.11/siret"
    assert requests.get(url, headers={KEY_HEADER: "x"}, timeout=10).status_code == 401
    answers = [requests.get(url, headers={KEY_HEADER: "cle"}, timeout=10) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "x-rate-limit-limit" not in answers[0].headers
    assert "header" in answers[2].json()
    faults = requests.get(f"{root}/__faults", timeout=10).json()
    assert (faults["latency_ms"], faults["days_of_404"]) == (1, ["2024-03-30"])


def test_the_help_tells_every_option_and_how_to_ask() -> None:
    told = _run("--help")
    assert told.returncode == 0
    for word in ("--departement", "--requests-per-minute", "--records", "/__quota", KEY_HEADER):
        assert word in told.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--departement", "33000"),
        ("--day", "hier"),
        ("--error-shape", "carree"),
        ("--establishments", "0"),
        ("--records", "nulle-part.jsonl"),
        ("--records", "README.md"),
        ("--host", "192.0.2.1"),
    ],
)
def test_a_mistake_is_told_without_a_traceback(arguments: tuple[str, str]) -> None:
    told = _run(*arguments)
    assert told.returncode == 2
    assert told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_600_000_establishments_are_served_in_less_than_300_megabytes(launch: Launch) -> None:
    process, root = launch("--establishments", "600000", "--requests-per-minute", "1000")
    queries = [f"codeCommuneEtablissement:{number:02d}*" for number in (1, 13, 33, 59, 75, 92)]
    queries.append("codeCommuneEtablissement:33* AND periode(etatAdministratifEtablissement:A)")
    queries.append("-codeCommuneEtablissement:33*")
    for q in queries:
        curseur = "*"
        for _ in range(4):
            body = requests.get(
                f"{root}/api-sirene/3.11/siret",
                params={"q": q, "nombre": "1000", "curseur": curseur},
                headers={KEY_HEADER: "demo"},
                # A busy machine may take its time: the memory is what is measured.
                timeout=240,
            ).json()
            assert body["header"]["total"] > 3000
            curseur = body["header"]["curseurSuivant"]
    status = Path(f"/proc/{process.pid}/status").read_text("ascii")
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak is not None
    assert int(peak.group(1)) < 300 * 1024
