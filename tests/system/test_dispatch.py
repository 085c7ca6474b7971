"""`./sirenade` hands over without a trace of itself, whatever interrupts it."""

import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from services import dispatch
from tests.system.conftest import ROOT, wait_for

Started = subprocess.Popen[str]


@pytest.fixture
def environment() -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("SIRENADE_")},
        "SIRENADE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    }


@pytest.fixture
def interrupted(environment: dict[str, str], tmp_path: Path) -> Iterator[Started]:
    """A demo that gets Ctrl-C while it still imports its modules."""
    with (tmp_path / "imports").open("w") as imports:
        process = subprocess.Popen(
            [
                *(sys.executable, "-v", "-m", "services.dispatch", "demo"),
                *("--directory", str(tmp_path / "demo")),
            ],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=imports,
            text=True,
        )
    wait_for(
        lambda: "import 'sqlalchemy" in (tmp_path / "imports").read_text(errors="replace"),
        seconds=30,
        what="its imports",
    )
    process.send_signal(signal.SIGINT)
    yield process
    process.kill()
    process.wait(timeout=10)


def test_an_interrupt_during_the_imports_leaves_no_traceback(
    interrupted: Started, tmp_path: Path
) -> None:
    assert interrupted.wait(timeout=10) == -signal.SIGINT
    assert "Traceback" not in (tmp_path / "imports").read_text(errors="replace")
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["stats"], "the database does not answer"),
        (["import", "--departement", "33"], "the database does not answer"),
        (["frobnicate"], "unknown command"),
        (["import", "--departement", "99X"], "unknown département"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_one_line_and_status_2(
    arguments: list[str], said: str, environment: dict[str, str]
) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "services.dispatch", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_an_import_never_goes_to_the_demos_database_where_no_service_would_do_it(
    environment: dict[str, str],
) -> None:
    del environment["SIRENADE_DATABASE_URL"]
    result = subprocess.run(
        [sys.executable, "-m", "services.dispatch", "import", "--departement", "33"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "SIRENADE_DATABASE_URL" in result.stderr


@pytest.mark.parametrize(
    ("command", "needs"),
    [("avis check", False), ("search check", True), ("search check --help", False)],
)
def test_a_command_that_reads_the_register_takes_that_of_the_demo(
    command: str, needs: bool
) -> None:
    assert dispatch._needs_no_database(command.split()) is not needs


def test_a_command_runs_from_any_folder_and_by_a_link(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "sirenade").symlink_to(ROOT / "sirenade")
    # The caller's files are no modules of ours.
    (tmp_path / "services").mkdir()
    (tmp_path / "types.py").write_text("raise SystemExit(99)")
    (tmp_path / "records.json").write_text("{")
    result = subprocess.run(
        [str(tmp_path / "sirenade"), "inspect", "records.json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0
    assert "bad_json" in result.stdout


def test_the_version_is_that_of_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert dispatch.main(["--version"]) == 0
    assert capsys.readouterr().out == f"sirenade {project['version']}\n"
