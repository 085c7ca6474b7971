"""A standby of a private PostgreSQL, and what happens to such a pair: hangs, promotions."""

import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from deploy.local import processes
from deploy.local.errors import LocalServerError
from deploy.local.postgres import SUPERUSER, RunningPostgres, start_postgres
from deploy.local.postgres_binaries import binaries_for, home_for


def start_standby(
    primary: RunningPostgres, directory: Path, *, fsync: bool = False
) -> RunningPostgres:
    """Copy the primary into `directory`, in place of what is there; follow it from then on."""
    account = processes.server_account()
    home = home_for(directory, account)
    shutil.rmtree(home / "data", ignore_errors=True)
    # The copy has the primary's users.
    (home / "password").write_text(primary.password)
    (home / "password").chmod(0o600)
    if account:
        os.chown(home, account.uid, account.gid)
    login = f"host=127.0.0.1 port={primary.port} user={SUPERUSER}"
    command = [str(binaries_for(account) / "pg_basebackup"), "--pgdata", str(home / "data")]
    command += ["--write-recovery-conf", "--checkpoint=fast", "--no-sync", f"--dbname={login}"]
    environment = {"PATH": os.environ["PATH"], "PGPASSWORD": primary.password}
    done = processes.run_as(account, command, env=environment)
    if done.returncode != 0:
        raise LocalServerError(f"pg_basebackup: {done.stderr.strip()}")
    return start_postgres(directory, name="standby", fsync=fsync, end_with_parent=True)


def promote(standby: RunningPostgres) -> None:
    """Make the standby the primary, and wait until it takes writes."""
    with standby.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_promote(wait_seconds => 60)")
        assert cursor.fetchone() == (True,)


@contextmanager
def hung(server: RunningPostgres) -> Iterator[None]:
    """Stop all processes of a server, which keeps its sockets, until the block ends."""
    _signal(server, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(server, signal.SIGCONT)


def _signal(server: RunningPostgres, number: signal.Signals) -> None:
    for pid in processes.with_children(server.pid):
        os.kill(pid, number)


def url_of(servers: Sequence[RunningPostgres], database: str, options: str = "") -> str:
    """Return the URL of all servers, in libpq's spelling."""
    places = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    login = f"{SUPERUSER}:{quote(servers[0].password, safe='')}"
    return f"postgresql://{login}@{places}/{quote(database)}{options}"


def follow_at_once(primary: RunningPostgres) -> None:
    """Let each commit of the primary wait for its standby."""
    _set(primary, "ALTER SYSTEM SET synchronous_standby_names = '*'")


def wait_for_nobody(primary: RunningPostgres) -> None:
    """Let no commit wait for a standby."""
    _set(primary, "ALTER SYSTEM RESET synchronous_standby_names")


def _set(server: RunningPostgres, statement: str) -> None:
    with server.connect() as connection, connection.cursor() as cursor:
        # It waits for no standby itself: there may be none.
        cursor.execute("SET synchronous_commit = local")
        cursor.execute(statement)
        cursor.execute("SELECT pg_reload_conf()")
