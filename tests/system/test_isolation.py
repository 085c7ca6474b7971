"""Each service boots with nothing but `shared/` and itself, says so, and stops when told."""

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.processes import free_port
from tests.system.conftest import ROOT, Processes, wait_for

NOWHERE = "http://127.0.0.1:9/api-sirene/3.11"


@pytest.fixture
def tree_of(tmp_path: Path) -> Callable[[str], Path]:
    """Copy what a container of one service would hold."""

    def copy(service: str) -> Path:
        tree = tmp_path / "tree"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "shared", tree / "shared", ignore=ignored)
        shutil.copytree(ROOT / "services" / service, tree / "services" / service, ignore=ignored)
        shutil.copy(ROOT / "services" / "__init__.py", tree / "services")
        return tree

    return copy


@pytest.mark.parametrize("service", ["fetcher", "writer", "reviewer", "operator"])
def test_a_service_boots_alone_serves_its_metrics_and_stops_on_sigterm(
    service: str,
    tree_of: Callable[[str], Path],
    make_processes: Callable[..., Processes],
    rabbitmq_url: str,
) -> None:
    port = free_port()
    processes = make_processes(
        broker_url=rabbitmq_url, insee_url=NOWHERE, cwd=tree_of(service), metrics_port=port
    )
    processes.start(service)
    wait_for(lambda: '"ready"' in processes.log(service), seconds=30, what=f"{service} ready")

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        metrics = answer.read().decode()
    assert "sirenade_messages_total" in metrics

    assert processes.terminate(service, seconds=30) == 0
    events = [json.loads(line)["event"] for line in processes.log(service).splitlines()]
    assert events[-1] == "stopped"


@pytest.mark.parametrize("service", ["operator", "simulator", "fetcher", "writer", "reviewer"])
def test_a_command_line_explains_itself_without_the_other_services(
    service: str, tree_of: Callable[[str], Path]
) -> None:
    result = subprocess.run(
        [sys.executable, "-m", f"services.{service}", "--help"],
        cwd=tree_of(service),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "Usage" in result.stdout


def test_a_service_whose_broker_is_away_says_so_in_one_line(
    make_processes: Callable[..., Processes],
) -> None:
    nobody = f"amqp://guest:hunter2@127.0.0.1:{free_port()}/"
    processes = make_processes(broker_url=nobody, insee_url=NOWHERE)
    processes.start("writer")
    assert processes.running["writer"].wait(timeout=60) == 2
    [line] = processes.log("writer").splitlines()
    assert line.startswith("error: the broker does not answer")
    assert "hunter2" not in line


def test_a_service_without_settings_lists_what_it_lacks_in_one_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("DATABASE_URL", "BROKER_URL", "INSEE_KEY"):
        monkeypatch.delenv(f"SIRENADE_{name}", raising=False)
    result = subprocess.run(
        [sys.executable, "-m", "services.fetcher", "run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert all(
        f"SIRENADE_{name}" in result.stderr for name in ("DATABASE_URL", "BROKER_URL", "INSEE_KEY")
    )
    assert "Traceback" not in result.stderr
