"""Each service boots with nothing but `shared/` and itself, says so, and stops when told."""

import json
import re
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


_GUARD = """
import sys
from importlib.metadata import packages_distributions

held = set(HELD)
refused = {
    module
    for module, providers in packages_distributions().items()
    if not {each.lower().replace("_", "-") for each in providers} & held
}


class Guard:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if path is None and name in refused:
            raise ModuleNotFoundError(f"not in this image: {name}", name=name)


sys.meta_path.insert(0, Guard)
"""


@pytest.fixture
def only_packages_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Refuse to the processes started from here on what a service's image does not hold."""

    def refuse(service: str) -> None:
        pins = (ROOT / "requirements" / f"{service}.txt").read_text(encoding="utf-8")
        held = re.findall(r"^([a-z0-9._-]+)(?:\[[a-z]+\])?==", pins, re.MULTILINE)
        folder = tmp_path / "guard"
        folder.mkdir()
        guard = _GUARD.replace("HELD", repr(held))
        (folder / "sitecustomize.py").write_text(guard, encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", str(folder))

    return refuse


def test_the_guard_refuses_what_an_image_does_not_hold(
    only_packages_of: Callable[[str], None],
) -> None:
    only_packages_of("writer")
    for module, status in (("requests", 1), ("pyarrow", 1), ("sqlalchemy", 0)):
        result = subprocess.run([sys.executable, "-c", f"import {module}"], check=False)
        assert result.returncode == status, module


@pytest.mark.parametrize("service", ["fetcher", "writer", "reviewer", "operator"])
def test_a_service_boots_alone_serves_its_metrics_and_stops_on_sigterm(
    service: str,
    tree_of: Callable[[str], Path],
    only_packages_of: Callable[[str], None],
    make_processes: Callable[..., Processes],
    rabbitmq_url: str,
) -> None:
    only_packages_of(service)
    port = free_port()
    processes = make_processes(
        broker_url=rabbitmq_url, insee_url=NOWHERE, cwd=tree_of(service), metrics_port=port
    )
    processes.start(service)
    wait_for(lambda: '"ready"' in processes.log(service), seconds=30, what=f"{service} ready")

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        metrics = answer.read().decode()
    assert "sirenade_messages_total" in metrics
    wait_for(lambda: _is_healthy(port), seconds=30, what=f"{service} healthy")

    assert processes.terminate(service, seconds=30) == 0
    events = [json.loads(line)["event"] for line in processes.log(service).splitlines()]
    assert events[-1] == "stopped"


@pytest.mark.parametrize("service", ["operator", "simulator", "fetcher", "writer", "reviewer"])
def test_a_command_line_explains_itself_without_the_other_services(
    service: str, tree_of: Callable[[str], Path], only_packages_of: Callable[[str], None]
) -> None:
    only_packages_of(service)
    result = subprocess.run(
        [sys.executable, "-m", f"services.{service}", "--help"],
        cwd=tree_of(service),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "Usage" in result.stdout


@pytest.mark.parametrize(
    "command", [("writer", "stock", "--plan", "stock.zip"), ("reviewer", "avis", "report")]
)
def test_a_command_that_needs_more_than_the_image_says_where_it_runs(
    command: tuple[str, ...],
    tree_of: Callable[[str], Path],
    only_packages_of: Callable[[str], None],
) -> None:
    service, *arguments = command
    only_packages_of(service)
    result = subprocess.run(
        [sys.executable, "-m", f"services.{service}", *arguments],
        cwd=tree_of(service),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "not installed here" in result.stderr
    assert "Traceback" not in result.stderr


def _is_healthy(port: int) -> bool:
    command = [sys.executable, "-m", "shared.runtime.health", "--port", str(port)]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == 0


def test_a_service_whose_broker_is_away_says_so_in_one_line(
    make_processes: Callable[..., Processes],
) -> None:
    nobody = f"amqp://guest:hunter2@127.0.0.1:{free_port()}/"
    processes = make_processes(broker_url=nobody, insee_url=NOWHERE)
    processes.start("writer")
    assert processes.running["writer"].wait(timeout=60) == 2
    # Before it stands what the writer logs: here, that it is a superuser of PostgreSQL.
    [line] = [each for each in processes.log("writer").splitlines() if each[0] != "{"]
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
