"""Several servers in the URL: commands reach the one that is there, an import survives its loss."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from deploy.local import processes
from deploy.local.postgres import RunningPostgres, start_postgres
from shared.db.engine import make_engine
from shared.db.migrate import upgrade
from shared.imports.orders import order_import
from shared.imports.progress import Progress, read_progress
from shared.imports.scope import Scope
from tests.servers.postgres_standby import promote, start_standby, url_of
from tests.system.conftest import (
    API,
    ROOT,
    Insee,
    Processes,
    assert_counters_are_real,
    column,
    is_due,
    wait_for,
    wait_for_the_end,
)

_DATABASE = "sirenade"

_COMMANDS = (
    ["migrate"],
    ["status", "--once"],
    ["stats", "--json"],
    ["monitor", "--once", "--json"],
    ["reconcile"],
    ["failed", "list"],
    ["backup"],
    ["roles", "--apply"],
)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "spelling",
    [
        "//{login}@gone.invalid,127.0.0.1:{port}/{name}",
        "//{login}@/{name}?host=127.0.0.1,127.0.0.1&port=1,{port}",
    ],
)
def test_commands_reach_the_server_that_is_there(
    spelling: str, database_url: str, tmp_path: Path
) -> None:
    url = make_url(database_url)
    login = url.set(host="x").render_as_string(hide_password=False)[len(f"{url.drivername}://") :]
    place = spelling.format(login=login.partition("@")[0], port=url.port, name=url.database)
    (tmp_path / "store").mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SIRENADE_")},
        "SIRENADE_DATABASE_URL": f"postgresql:{place}",
        "SIRENADE_BROKER_URL": "memory://",
        "SIRENADE_INSEE_KEY": "simulated",
        "SIRENADE_ARCHIVE_URL": f"file://{tmp_path}/store",
        "SIRENADE_BACKUP_KEY": "0123456789abcdef0123",
        "SIRENADE_ROLE_PREFIX": "several_",
    }
    for command in _COMMANDS:
        done = subprocess.run(
            [sys.executable, "-m", "services.dispatch", *command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-500:]} {done.stderr[-800:]}"


@pytest.fixture
def behind(servers_directory: Path) -> Iterator[tuple[RunningPostgres, RunningPostgres]]:
    """A primary with an asynchronous standby."""
    primary = start_postgres(servers_directory / "behind-1", name="one", end_with_parent=True)
    primary.create_database(_DATABASE)
    standby = start_standby(primary, servers_directory / "behind-2")
    yield primary, standby
    for server in (primary, standby):
        processes.kill_all(processes.with_children(server.pid))
        processes.reap(server.process)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_an_import_ends_whole_although_the_promoted_standby_was_behind(
    behind: tuple[RunningPostgres, RunningPostgres],
    private_rabbitmq_url: str,
    start_insee: Callable[..., Insee],
    make_processes: Callable[..., Processes],
) -> None:
    primary, standby = behind
    url = url_of(behind, _DATABASE)
    upgrade(url)
    insee = start_insee(establishments=6000, requests_per_minute=240)
    services = make_processes(
        broker_url=private_rabbitmq_url,
        insee_url=insee.root + API,
        database_url=url,
        insee_requests_per_minute=120,
        insee_rows_per_page=100,
    )
    for name in ("fetcher", "writer", "reviewer"):
        services.start(name)
    engine = make_engine(url, application_name="test-system")
    with engine.begin() as connection:
        order_import(connection, Scope(departements=["33"]))

    def received(server: RunningPostgres) -> int:
        with server.connect(_DATABASE) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(sum(received), 0) FROM import_batches")
            return int((cursor.fetchone() or [0])[0])

    wait_for(lambda: received(primary) > 1500, seconds=120, what="1500 rows")
    _freeze_sender(primary)
    wait_for(lambda: received(primary) > received(standby) + 500, seconds=60, what="a lag")
    primary.kill()
    promote(standby)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT inet_server_port()")) == standby.port

    def progress() -> Progress:
        with engine.connect() as connection:
            return read_progress(connection)

    wait_for_the_end(progress, seconds=200)
    everything = insee.every_record("codeCommuneEtablissement:33*")
    records = {record["siret"] for record in everything}
    assert set(column(engine, "SELECT siret FROM etablissements")) == records
    due = {record["siret"] for record in everything if is_due(record)}
    assert set(column(engine, "SELECT siret FROM avis WHERE outcome = 'accepted'")) == due
    assert_counters_are_real(engine, progress(), len(records))
    assert column(engine, "SELECT count(*) FROM dead_letters") == [0]
    engine.dispose()


def _freeze_sender(primary: RunningPostgres) -> None:
    """Let nothing reach the standby any more, not even what its socket would still hold."""
    with primary.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_replication")
        [[pid]] = cursor.fetchall()
    os.kill(pid, signal.SIGSTOP)
