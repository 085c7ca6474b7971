"""A PostgreSQL that is asked encrypted only, by those who trust its certificate."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from deploy.local import processes
from deploy.local.postgres import RunningPostgres, start_postgres
from services.operator.__main__ import app
from shared.db.engine import temporary_engine
from tests.certificates import Authority, Issued
from tests.conditions import wait_until
from tests.integration.commands import Sirenade, sirenade_of
from tests.servers.postgres_binaries import find_or_fetch_postgres


@pytest.fixture(scope="module")
def authority(servers_directory: Path) -> Authority:
    folder = servers_directory / "authority"
    folder.mkdir()
    return Authority(folder)


@pytest.fixture(scope="module")
def server(servers_directory: Path, authority: Authority) -> Iterator[RunningPostgres]:
    """Start a server whose certificate names `localhost`, and that refuses clear text."""
    home = servers_directory / "encrypted"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PG_BIN", str(find_or_fetch_postgres()))
        running = start_postgres(home, name="encrypted", fsync=False, end_with_parent=True)
    try:
        _encrypt(running, authority.issue("localhost"))
        yield running
    finally:
        running.kill()


def _encrypt(running: RunningPostgres, issued: Issued) -> None:
    data = running.directory / "data"
    for source, name in ((issued.certificate, "server.crt"), (issued.key, "server.key")):
        (data / name).touch(mode=0o600)
        (data / name).write_bytes(source.read_bytes())
        if account := processes.server_account():
            os.chown(data / name, account.uid, account.gid)
    (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    with running.connect() as connection, connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET ssl = on")
        cursor.execute("SELECT pg_reload_conf()")

    def is_encrypted() -> bool:
        with running.connect() as connection:
            return bool(connection.info.ssl_in_use)

    wait_until(is_encrypted)


@pytest.fixture
def sirenade(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sirenade:
    return sirenade_of(app, monkeypatch, capsys)


def _url(server: RunningPostgres, options: str, host: str = "localhost") -> str:
    return f"{server.url.replace('@127.0.0.1', f'@{host}')}?{options}"


def test_a_server_is_asked_encrypted_whose_certificate_is_trusted(
    server: RunningPostgres, authority: Authority
) -> None:
    url = _url(server, f"sslmode=verify-full&sslrootcert={authority.file}")
    query = text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    with temporary_engine(url, application_name="test") as engine, engine.connect() as connection:
        assert connection.scalar(query) is True


@pytest.mark.parametrize(
    ("options", "host", "said"),
    [
        ("sslmode=verify-full&sslrootcert={stranger}", "localhost", "certificate verify failed"),
        ("sslmode=verify-full&sslrootcert={ours}", "127.0.0.1", "does not match host name"),
        ("sslmode=verify-full&sslrootcert=/none.pem", "localhost", "/none.pem"),
        ("sslmode=disable", "localhost", "no encryption"),
    ],
)
def test_any_other_way_is_refused_in_one_line(
    options: str,
    host: str,
    said: str,
    server: RunningPostgres,
    authority: Authority,
    tmp_path: Path,
    sirenade: Sirenade,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named = options.format(stranger=Authority(tmp_path).file, ours=authority.file)
    monkeypatch.setenv("SIRENADE_DATABASE_URL", _url(server, named, host))
    answer = sirenade("stats")
    assert answer.status == 2
    [line] = answer.err.splitlines()
    assert line.startswith("error: the database does not answer: ")
    assert said in line
    assert server.password not in line


def test_migrate_warns_of_a_database_that_may_be_asked_in_clear(
    sirenade: Sirenade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIRENADE_DATABASE_URL", "postgresql://u:hunter2@nowhere.invalid/x")
    answer = sirenade("migrate")
    warning, error = answer.err.splitlines()
    assert warning.startswith("warning: SIRENADE_DATABASE_URL: PostgreSQL (nowhere.invalid) may")
    assert error.startswith("error: the database does not answer: ")
    assert "hunter2" not in answer.err
