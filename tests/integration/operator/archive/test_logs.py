"""Closed log files and daily summaries reach the store: none is lost, none is there twice."""

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from services.operator.archive.logs import put_logs
from services.operator.archive.summaries import put_summaries
from shared.archive.storage import Storage, StorageError, open_storage
from shared.errors import UserError
from shared.logs.files import LogFile, closed_files
from tests.integration.commands import Sirenade
from tests.integration.conftest import WaitFor
from tests.integration.operator import stores
from tests.integration.operator.clockwork import Operator, jobs
from tests.integration.writer.desk import Desk
from tests.local_server import served

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


@pytest.fixture
def local(tmp_path: Path) -> str:
    (tmp_path / "store").mkdir()
    return f"file://{tmp_path}/store"


def _write(folder: Path, service: str, lines: int, *, width: int = 0, per_file: int = 50) -> None:
    file = LogFile(folder, service, file_bytes=per_file * (width + 110), closed=1000)
    for number in range(lines):
        event = {"timestamp": "2026-11-20T12:00:00+00:00", "event": f"{number:08}"}
        file.write(json.dumps({**event, "filling": os.urandom(width // 2).hex()}))
    file.close()


def _archived(storage: Storage, service: str) -> list[str]:
    return [
        json.loads(line)["event"]
        for key in storage.keys(f"service={service}")
        for line in gzip.decompress(storage.read(key, most_bytes=1 << 26)).decode().splitlines()
    ]


def _expect_archive(storage: Storage, folder: Path) -> None:
    _write(folder, "writer", 300)
    _write(folder, "fetcher", 3, width=8_000_000, per_file=1)
    before = {path for _, path in closed_files(folder)}
    assert len(before) >= 6
    done = put_logs(storage, folder)
    assert done.files == len(before) + 2
    assert list(folder.glob("*.jsonl")) == []
    assert sorted(_archived(storage, "writer")) == [f"{number:08}" for number in range(300)]
    assert sorted(_archived(storage, "fetcher")) == [f"{number:08}" for number in range(3)]
    keys = storage.keys("service=writer")
    assert all(key.startswith("service=writer/date=2026-11-20/writer.20") for key in keys)
    assert all(key.endswith(".jsonl.gz") for key in keys)
    assert put_logs(storage, folder).files == 0


def test_log_files_go_to_a_folder(local: str, logs: Path) -> None:
    _expect_archive(open_storage(local), logs)


def test_log_files_go_to_s3(logs: Path) -> None:
    with stores.s3() as (url, credentials):
        _expect_archive(open_storage(url, credentials), logs)


@pytest.mark.slow
def test_log_files_go_to_azure(logs: Path, tmp_path: Path) -> None:
    with stores.azure(tmp_path / "azurite") as (url, credentials):
        _expect_archive(open_storage(url, credentials), logs)


@contextmanager
def _started(url: str, credentials: str, logs: Path) -> Iterator[None]:
    """Start an archive, and kill it at the end of the block."""
    command = [sys.executable, "-m", "tests.integration.operator.archive_once"]
    with subprocess.Popen([*command, url, credentials, str(logs)], cwd=ROOT) as process:
        try:
            yield
        finally:
            process.kill()
    assert process.returncode == -signal.SIGKILL


def test_killed_again_and_again_it_loses_nothing_and_doubles_nothing(
    local: str, logs: Path, wait_for: WaitFor
) -> None:
    _write(logs, "writer", 60, width=200_000, per_file=2)
    storage = open_storage(local)
    for _ in range(2):
        there = len(storage.keys("service=writer"))
        with _started(local, "", logs):
            wait_for(
                lambda there=there: len(storage.keys("service=writer")) > there + 1, seconds=30
            )
    put_logs(storage, logs)
    assert sorted(_archived(storage, "writer")) == [f"{number:08}" for number in range(60)]


@contextmanager
def _stalling() -> Iterator[tuple[str, threading.Event]]:
    """An S3 server that takes half of a body and never answers."""
    asked, over = threading.Event(), threading.Event()

    class Stalling(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(404)
            self.end_headers()

        def do_PUT(self) -> None:
            self.rfile.read(10)
            asked.set()
            over.wait(30)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Stalling)
    server.daemon_threads = True
    with served(server, let_go=over.set):
        yield f"http://127.0.0.1:{server.server_port}", asked


def test_a_kill_in_the_middle_of_an_upload_leaves_the_file_for_the_next_time(logs: Path) -> None:
    _write(logs, "writer", 20)
    with _stalling() as (endpoint, asked), stores.s3() as (url, credentials):
        stalled = credentials.replace(credentials.split("\n")[1], f"aws_endpoint={endpoint}")
        with _started(url, stalled, logs):
            assert asked.wait(30)
        storage = open_storage(url, credentials)
        assert storage.keys("") == []
        put_logs(storage, logs)
        assert sorted(_archived(storage, "writer")) == [f"{number:08}" for number in range(20)]


def test_a_file_is_kept_while_the_store_does_not_have_it_whole(
    local: str, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(logs, "writer", 10, per_file=5)
    storage = open_storage(local)
    monkeypatch.setattr(Storage, "size_of", lambda *_: 3)
    with pytest.raises(StorageError, match="has 3 bytes in the store"):
        put_logs(storage, logs)
    monkeypatch.undo()
    assert len(list(logs.glob("*.jsonl"))) >= 2
    put_logs(storage, logs)
    assert sorted(_archived(storage, "writer")) == [f"{number:08}" for number in range(10)]


def test_a_file_of_today_that_is_written_to_stays(local: str, logs: Path) -> None:
    _write(logs, "writer", 2)
    began = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert put_logs(open_storage(local), logs, now=began + timedelta(hours=1)).files == 0
    assert put_logs(open_storage(local), logs, now=began + timedelta(hours=13)).files == 1


def test_two_at_once_do_not_meet(local: str, logs: Path) -> None:
    _write(logs, "writer", 2)
    with stores_lock(logs):
        assert "another process" in put_logs(open_storage(local), logs).in_one_line()
    assert put_logs(open_storage(local), logs).files == 1


@contextmanager
def stores_lock(logs: Path) -> Iterator[None]:
    import fcntl  # noqa: PLC0415

    with (logs / ".archive.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_each_day_is_summed_up_once(local: str, engine: Engine, desk: Desk) -> None:
    run = desk.run()
    desk.execute(
        "UPDATE import_runs SET created_at = now() - interval '2 days',"
        " completed_at = now() - interval '1 day', status = 'complete'"
    )
    storage = open_storage(local)
    with engine.connect() as connection:
        assert put_summaries(storage, connection) == 7
        assert put_summaries(storage, connection) == 0
        day = connection.execute(
            text("SELECT (now() AT TIME ZONE 'Europe/Paris')::date - 1")
        ).scalar_one()
    key = f"service=summary/date={day}/summary-{day}.jsonl.gz"
    lines = list(
        map(json.loads, gzip.decompress(storage.read(key, most_bytes=1 << 26)).splitlines())
    )
    assert [(line["what"], line["day"]) for line in lines] == [
        ("run", str(day)),
        ("stats", str(day)),
    ]
    assert (lines[0]["id"], lines[0]["status"]) == (run, "complete")


def test_the_job_says_what_it_did_and_is_tried_again_where_the_store_is_away(
    engine: Engine, desk: Desk, local: str, logs: Path
) -> None:
    Operator(engine, jobs()["archive"]).turn()
    assert "set SIRENADE_ARCHIVE_URL" in desk.one("SELECT result FROM job_slots")["result"]
    _write(logs, "writer", 2)
    away = jobs(archive_url="s3://nowhere", archive_credentials="nonsense=1")["archive"]
    operator = Operator(engine, away)
    operator.turn(later=timedelta(hours=1))
    failed = desk.one("SELECT status, error FROM job_slots ORDER BY slot DESC LIMIT 1")
    assert failed["status"] == "failed"
    assert "nonsense" in failed["error"]
    operator = Operator(engine, jobs(archive_url=local, log_directory=logs)["archive"])
    operator.turn(later=timedelta(hours=2))
    done = desk.one("SELECT status, result FROM job_slots ORDER BY slot DESC LIMIT 1")
    assert done["status"] == "done"
    assert done["result"].startswith("1 log files archived")
    assert done["result"].endswith("7 days summed up")


@pytest.mark.parametrize(
    ("url", "credentials", "said"),
    [
        ("ftp://x", "", "begins with s3://"),
        ("s3://x", "no equals sign", "line 1 is not NAME=value"),
        ("s3://x", "secret=hunter2", "'secret' is not valid"),
        ("az://x", "", "Account must be specified"),
        ("file:///no/such/folder", "", "there is no folder /no/such/folder"),
    ],
)
def test_a_store_that_cannot_be_is_told_in_one_line(url: str, credentials: str, said: str) -> None:
    with pytest.raises(UserError) as refused:
        open_storage(url, credentials)
    assert said in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_an_operator_archives_what_services_wrote_and_writes_a_file_of_its_own(
    database_url: str, desk: Desk, local: str, logs: Path, wait_for: WaitFor
) -> None:
    _write(logs, "writer", 3)
    environment = {
        **os.environ,
        "SIRENADE_DATABASE_URL": database_url,
        "SIRENADE_METRICS_PORT": "0",
        "SIRENADE_ARCHIVE_URL": local,
        "SIRENADE_LOG_DIRECTORY": str(logs),
    }
    command = [sys.executable, "-m", "services.operator", "run"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    ) as operator:
        try:
            done = "SELECT result FROM job_slots WHERE job = 'archive' AND status = 'done'"
            wait_for(lambda: desk.execute(done), seconds=60)
        finally:
            operator.terminate()
    assert desk.one(done)["result"].startswith("1 log files archived")
    assert len(_archived(open_storage(local), "writer")) == 3
    events = list(map(json.loads, (logs / "operator.jsonl").read_text("utf-8").splitlines()))
    assert {event["service"] for event in events} == {"operator"}
    assert {"ready", "job done", "stopped"} <= {event["event"] for event in events}


def test_the_command_archives_what_the_job_would(
    sirenade: Sirenade, local: str, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "set SIRENADE_ARCHIVE_URL" in sirenade("archive").err
    _write(logs, "writer", 2)
    monkeypatch.setenv("SIRENADE_ARCHIVE_URL", local)
    monkeypatch.setenv("SIRENADE_LOG_DIRECTORY", str(logs))
    told = json.loads(sirenade("archive", "--json").out)
    assert (told["files"], told["summaries"]) == (1, 7)
    monkeypatch.setenv("SIRENADE_LOG_DIRECTORY", str(logs / "gone"))
    assert "there is no folder" in sirenade("archive").out
