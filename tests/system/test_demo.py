"""`make demo`'s own promises: it ends, it resumes after a kill of everything, it is readable."""

import json
import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local import processes
from deploy.local.demo_database import DATABASE, demo_postgres, only_demo, require_space
from deploy.local.postgres_binaries import home_for
from shared.db.migrate import upgrade
from shared.errors import UserError
from tests.system.conftest import ROOT, wait_for

ESTABLISHMENTS = 3000

Start = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def directory(servers_directory: Path) -> Iterator[Path]:
    directory = servers_directory / f"a demo {uuid.uuid4().hex[:8]}"
    yield directory
    processes.kill_all(processes.processes_below(directory))
    shutil.rmtree(home_for(directory / "postgres", processes.server_account()))


@pytest.fixture
def start_demo(directory: Path) -> Iterator[Start]:
    started = []

    def start() -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "services.embedded", "demo"),
                    *("-n", str(ESTABLISHMENTS), "--requests-per-minute", "40"),
                    *("--directory", str(directory)),
                ],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(timeout=10)
        assert process.stdout is not None
        process.stdout.close()


def stored_rows(directory: Path) -> int:
    """Ask the demo's own server, without disturbing it."""
    with demo_postgres(directory) as server:
        if not server.has_database(DATABASE):
            return 0
        with server.connect(DATABASE) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('etablissements')")
            if cursor.fetchone() == (None,):
                return 0
            cursor.execute("SELECT count(*) FROM etablissements")
            [(rows,)] = cursor.fetchall()
            return int(rows)


def report_of(directory: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((directory / "report.json").read_text())
    return report


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_demo_is_resumed_and_ends_as_if_it_had_not_been(
    how: signal.Signals, directory: Path, start_demo: Start
) -> None:
    first = start_demo()
    wait_for(
        lambda: (directory / "postgres").exists() and first.poll() is None, seconds=30, what="demo"
    )
    wait_for(lambda: _has_begun(first, directory), seconds=60, what="the first rows")
    family = processes.with_children(first.pid)
    if how is signal.SIGKILL:
        processes.kill_all(family)
    else:
        os.kill(first.pid, how)
    assert first.wait(timeout=60) in {130, -signal.SIGKILL}
    first.communicate()
    assert not (directory / "report.json").exists()
    assert 0 < stored_rows(directory) < ESTABLISHMENTS

    second = start_demo()
    output, _ = second.communicate(timeout=120)

    assert second.returncode == 0, output
    assert "resuming" in output
    report = report_of(directory)
    assert report["establishments_expected"] == ESTABLISHMENTS
    assert report["establishments_stored"] == ESTABLISHMENTS
    assert report["establishments_missing"] == 0
    assert report["http_429"] == 0
    assert report["avis_pending"] == 0
    assert report["avis_due"] == report["avis_accepted"] > 750
    assert report["peak_rss_bytes_by_process"].keys() >= {"services", "postgres", "simulator"}


def _has_begun(process: subprocess.Popen[str], directory: Path) -> bool:
    assert process.poll() is None, process.communicate()[0]
    return (directory / "simulator" / "port").exists() and stored_rows(directory) > 0


def command(*arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "services.embedded", "demo", *arguments),
            *("--directory", str(directory)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_second_demo_in_the_same_folder_is_refused_and_harms_nothing(directory: Path) -> None:
    directory.mkdir()
    with only_demo(directory):
        result = command("-n", "10", directory=directory)
    assert result.returncode == 2
    assert "a demo is running" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (directory / "postgres").exists()


def test_the_last_user_of_the_demos_server_stops_it(directory: Path) -> None:
    with demo_postgres(directory) as first:
        with demo_postgres(directory) as second:
            assert second.pid == first.pid
        assert processes.is_alive(first.pid)
    assert not processes.is_alive(first.pid)

    starter, late = demo_postgres(directory), demo_postgres(directory)
    server = starter.__enter__()
    late.__enter__()
    starter.__exit__(None, None, None)
    assert processes.is_alive(server.pid), "whoever started it ended it under another's hands"
    late.__exit__(None, None, None)
    assert not processes.is_alive(server.pid)
    processes.reap(server.process)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = command("-n", "10", directory=tmp_path / "file" / "demo")
    assert result.returncode == 2
    assert "Not a directory" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_database_of_another_version_makes_room_for_a_fresh_one(directory: Path) -> None:
    with demo_postgres(directory) as server:
        upgrade(server.create_database(DATABASE))
        with server.connect(DATABASE) as connection, connection.cursor() as cursor:
            cursor.execute("UPDATE alembic_version SET version_num = '9999'")
    result = command("-n", "50", "--requests-per-minute", "600", directory=directory)
    assert result.returncode == 0, result.stderr
    assert report_of(directory)["establishments_stored"] == 50


def test_a_disk_without_room_for_the_demo_is_one_line(directory: Path) -> None:
    directory.mkdir()
    with pytest.raises(UserError, match="nearly full"):
        require_space(directory, free_bytes=1 << 60)
    require_space(directory, free_bytes=1)
