"""The operator's commands, called as people call them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[3]


def _sirenade(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {n: value for n, value in os.environ.items() if not n.startswith("SIRENADE_")}
    return subprocess.run(
        [sys.executable, "-m", "services.dispatch", *arguments],
        cwd=_ROOT,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "taught"),
    [
        ("failed retry", "--code"),
        ("failed show", "--payload"),
        ("dead-letters replay", "SIRENADE_BROKER_URL"),
        ("reconcile", "Exit status 1"),
        ("statement", "--day"),
        ("certify", "--full"),
        ("delta", "--wait-minutes"),
        ("monitor", "SIRENADE_MONITOR_PROMETHEUS_URL"),
    ],
)
def test_help_teaches_without_any_server(command: str, taught: str) -> None:
    answer = _sirenade(*command.split(), "--help", COLUMNS="120")
    assert answer.returncode == 0
    assert taught in answer.stdout


@pytest.mark.parametrize(
    "command", ["failed retry --all", "dead-letters replay --all", "repair", "certify --all"]
)
def test_work_is_never_ordered_from_the_demos_database_where_no_service_would_do_it(
    command: str,
) -> None:
    answer = _sirenade(*command.split())
    assert answer.returncode == 2
    assert "SIRENADE_DATABASE_URL" in answer.stderr


def test_the_counters_are_reconciled_in_the_database_that_is_named(database_url: str) -> None:
    answer = _sirenade("reconcile", SIRENADE_DATABASE_URL=database_url)
    assert answer.returncode == 0
    assert "zero difference" in answer.stdout
