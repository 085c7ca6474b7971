"""The private PostgreSQL: created, adopted, killed and found again."""

import os
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest

from deploy.local import postgres_binaries, processes
from deploy.local.postgres import MAX_CONNECTIONS, RunningPostgres, start_postgres
from tests.servers import __main__

Start = Callable[[], RunningPostgres]


@pytest.fixture
def start(servers_directory: Path) -> Iterator[Start]:
    """Starts the one server of a folder with spaces and an apostrophe in its path."""
    folder = servers_directory / "the firm's own server"
    started: list[RunningPostgres] = []

    def start_it() -> RunningPostgres:
        started.append(start_postgres(folder, name="test", end_with_parent=True))
        return started[-1]

    yield start_it
    for running in started:
        running.kill()
    shutil.rmtree(started[0].directory)


def test_a_running_server_is_adopted_and_not_started_twice(start: Start) -> None:
    first = start()
    second = start()
    assert (second.pid, second.port, second.url) == (first.pid, first.port, first.url)
    second.stop()
    first.stop()
    assert not processes.is_alive(first.pid)


def test_committed_rows_survive_a_kill_of_the_whole_server(start: Start) -> None:
    first = start()
    first.create_database("register")
    with first.connect("register") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE seen (siret text)")
        cursor.execute("INSERT INTO seen VALUES ('55210055400013')")
    family = processes.with_children(first.pid)
    first.kill()
    assert len(family) > 1
    assert processes.wait_until_gone(family, seconds=0) == []

    second = start()
    assert (second.port, second.password) == (first.port, first.password)
    with second.connect("register") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT siret FROM seen")
        assert cursor.fetchall() == [("55210055400013",)]


def test_backends_orphaned_by_a_kill_of_the_postmaster_do_not_block_a_start(
    start: Start,
) -> None:
    first = start()
    processes.kill_all([first.pid])
    processes.reap(first.process)
    second = start()
    assert second.pid != first.pid
    assert second.has_database("postgres")


def test_another_port_is_taken_when_the_last_one_is_in_use(start: Start) -> None:
    first = start()
    first.stop()
    with socket.create_server(("127.0.0.1", first.port)):
        second = start()
    assert second.port != first.port


def test_the_server_asks_for_the_password_and_listens_on_loopback_only(start: Start) -> None:
    running = start()
    assert (running.directory / "password").stat().st_mode & 0o777 == 0o600
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(
            host="127.0.0.1", port=running.port, user="postgres", password="no", dbname="postgres"
        )
    with running.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('listen_addresses'), current_setting('fsync'),"
            " current_setting('max_connections')::int, current_setting('server_encoding')"
        )
        assert cursor.fetchone() == ("127.0.0.1", "on", MAX_CONNECTIONS, "UTF8")


def test_every_test_database_is_a_clone_of_the_migrated_template(
    postgres: RunningPostgres, database_url: str
) -> None:
    name = database_url.rsplit("/", 1)[1]
    with postgres.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('alembic_version') IS NOT NULL")
        assert cursor.fetchone() == (True,)


def test_a_cluster_below_a_folder_that_its_user_cannot_enter_lies_outside_until_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Root alone runs servers as another user; another user's cluster stays where it was asked."""
    monkeypatch.setattr(postgres_binaries, "LOCAL", tmp_path / ".local")
    monkeypatch.setattr(__main__, "LOCAL", tmp_path / ".local")
    tmp_path.chmod(0o700)
    directory = tmp_path / ".local" / "demo"
    running = start_postgres(directory, name="test", end_with_parent=True)
    try:
        if os.geteuid() == 0:
            outside = running.directory.parent
            assert (tmp_path / ".local" / "relocated").read_text() == f"{outside}\n"
            assert str(outside) in capsys.readouterr().out
        else:
            assert running.directory == directory
        assert running.has_database("postgres")
        __main__.clean()
        assert not processes.is_alive(running.pid)
        assert not running.directory.exists()
        assert not directory.exists()
    finally:
        running.kill()


def test_the_log_of_a_killed_session_quotes_none_of_its_values(start: Start) -> None:
    running = start()
    with running.connect() as connection, connection.cursor() as cursor:
        pid = connection.get_backend_pid()
        killer = threading.Timer(0.5, os.kill, (pid, signal.SIGKILL))
        killer.start()
        with pytest.raises(psycopg2.OperationalError):
            cursor.execute("SELECT pg_sleep(30), %s", ("ZORGLUB",))
        killer.join()
    log = running.directory / "postgres.log"
    assert processes.wait_while_alive(
        running.pid, lambda: "was terminated by signal 9" in log.read_text(errors="replace")
    )
    assert "ZORGLUB" not in log.read_text(errors="replace")
