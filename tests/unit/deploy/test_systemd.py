"""The units of a bare server start every service, and systemd takes them."""

import configparser
import importlib.util
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from shared.runtime.service import STOP_GRACE_SECONDS
from tests.unit.deploy.compose_files import ROOT

_UNITS = ROOT / "deploy" / "systemd"
_INSTALLED = "/opt/sirenade"
_RUNNING = {"fetcher", "writer", "reviewer", "operator", "portal", "indexer"}


def _read(name: str) -> configparser.RawConfigParser:
    found = configparser.RawConfigParser(strict=False)
    found.optionxform = str  # type: ignore[assignment,method-assign]  # names have capitals
    found.read(_UNITS / name)
    return found


def test_there_is_a_unit_for_each_service_with_a_port_of_its_own() -> None:
    ports = Counter[str]()
    for name in _RUNNING:
        unit = _read(f"sirenade-{name}.service")
        ports[unit["Service"]["Environment"]] += 1
        module = re.findall(r" -m (\S+) ", unit["Service"]["ExecStart"])
        assert importlib.util.find_spec(module[0]) is not None
        assert int(unit["Service"]["TimeoutStopSec"]) > STOP_GRACE_SECONDS
        assert unit["Unit"]["PartOf"] == "sirenade.target"
    assert max(ports.values()) == 1


def test_no_unit_is_left_over() -> None:
    services = {path.stem.removeprefix("sirenade-") for path in _UNITS.glob("*.service")}
    assert services == {*_RUNNING, "backup", "drill"}


@pytest.mark.slow
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """It looks for the programs, too: this tree stands for the installed one."""
    for path in _UNITS.iterdir():
        text = path.read_text("utf-8").replace(_INSTALLED, str(ROOT))
        (tmp_path / path.name).write_text(text, "utf-8")
    command = ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
