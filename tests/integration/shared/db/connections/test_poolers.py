"""A pooler in transaction mode before PostgreSQL: services and commands refuse it in one line."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import make_url, text

from deploy.local import processes
from deploy.local.processes import free_port
from shared.db.connections.poolers import refuse_pooler
from shared.db.engine import make_engine, temporary_engine
from shared.db.revision import current_engine
from shared.errors import UserError
from tests.conditions import wait_until
from tests.servers.pgbouncer_binaries import find_or_fetch_pgbouncer


@contextmanager
def pgbouncer(database_url: str, folder: Path, *, ignored: str, mode: str) -> Iterator[str]:
    """Start pgbouncer before a database, and yield the URL through it."""
    folder.mkdir()
    url, port, found = make_url(database_url), free_port(), find_or_fetch_pgbouncer()
    account = processes.server_account()
    (folder / "pgbouncer.ini").write_text(
        f"""
[databases]
{url.database} = host={url.host} port={url.port} user={url.username} password={url.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
auth_type = any
pool_mode = {mode}
unix_socket_dir =
ignore_startup_parameters = {ignored}
""",
        encoding="utf-8",
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(found.program), "pgbouncer.ini"],
            cwd=folder,
            env={**os.environ, **found.environment},
            stdout=log,
            stderr=log,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
        )
    through = url.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)

    def answers() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        try:
            psycopg2.connect(
                make_url(through).set(drivername="postgresql").render_as_string(False)
            ).close()
        except psycopg2.Error:
            return False
        return True

    try:
        wait_until(answers)
        yield through
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.mark.one_role
def test_a_pooler_that_drops_the_settings_of_a_session_is_refused(
    database_url: str, servers_directory: Path
) -> None:
    folder = servers_directory / "pgbouncer-transaction"
    ignored = "options,extra_float_digits"
    with pgbouncer(database_url, folder, ignored=ignored, mode="transaction") as url:
        refused = pytest.raises(UserError, match="a pooler such as pgbouncer")
        with refused, current_engine(url, application_name="tests"):
            pass
        with temporary_engine(url, application_name="tests") as engine, engine.connect() as one:
            assert one.scalar(text("SELECT 1")) == 1


def test_postgresql_itself_is_no_pooler(database_url: str) -> None:
    engine = make_engine(database_url, application_name="tests")
    with engine.connect() as connection:
        refuse_pooler(connection)
    engine.dispose()
