"""A private PostgreSQL: initialised once, on 127.0.0.1 only, with a port of its own."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812  a class, named as one

from deploy.local import processes
from deploy.local.errors import LocalServerError
from deploy.local.postgres_binaries import binaries_for, home_for, version_of
from deploy.local.processes import Account

SUPERUSER = "postgres"
MAX_CONNECTIONS = 60
_STOP_SECONDS = 30.0
_PORT_ATTEMPTS = 4
_BUILTIN_LOCALE_SINCE = 17


@dataclass
class RunningPostgres:
    pid: int
    port: int
    password: str = field(repr=False)
    directory: Path
    """The folder of the cluster: `data/`, `password`, `postgres.log`."""
    process: subprocess.Popen[bytes] | None = None
    """None for a server that was found running."""

    @property
    def url(self) -> str:
        return self.url_for(SUPERUSER)

    def url_for(self, database: str) -> str:
        password = quote(self.password, safe="")
        return (
            f"postgresql+psycopg2://{SUPERUSER}:{password}@127.0.0.1:{self.port}/{quote(database)}"
        )

    def create_database(self, name: str, *, template: str = "template0") -> str:
        """Create the database and return its URL; nobody may be connected to the template."""
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        return self.url_for(name)

    def has_database(self, name: str) -> bool:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
            return cursor.fetchone() is not None

    def drop_database(self, name: str) -> None:
        """Drop the database if it is there, and end the sessions that use it."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _execute(self, statement: str, *names: str) -> None:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    @contextmanager
    def connect(self, database: str = SUPERUSER) -> Iterator[Connection]:
        """Open a connection of the superuser in autocommit."""
        connection = psycopg2.connect(
            host="127.0.0.1",
            port=self.port,
            user=SUPERUSER,
            password=self.password,
            dbname=database,
            connect_timeout=10,
        )
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.close()

    def stop(self) -> None:
        """Shut down fast: running transactions are rolled back. Does nothing when already down."""
        family = processes.with_children(self.pid)
        if processes.is_alive(self.pid):
            os.kill(self.pid, signal.SIGINT)
        processes.kill_all(processes.wait_until_gone(family, seconds=_STOP_SECONDS))
        processes.reap(self.process)

    def kill(self) -> None:
        """Kill the postmaster and all its children, as when the machine loses power."""
        processes.kill_all(processes.with_children(self.pid))
        processes.reap(self.process)


def start_postgres(
    directory: Path, *, name: str, fsync: bool = True, end_with_parent: bool = False
) -> RunningPostgres:
    """Start the cluster in `directory`, which is created at first; adopt one that runs already.

    `name` tells servers apart in messages. `fsync=False` only for data that may be lost.
    `end_with_parent` (Linux) must come from a thread that lives as long as its process.
    """
    account = processes.server_account()
    home = home_for(directory, account)
    data = home / "data"
    if running := _adopt(home):
        return running
    _clear_stale(data)
    binaries = binaries_for(account)
    if not (data / "PG_VERSION").exists():
        _initialise(binaries, home, account, name=name, fsync=fsync)
    for _ in range(_PORT_ATTEMPTS):
        port = _choose_port(home)
        _write_settings(home, account, port=port, fsync=fsync)
        process = processes.start_server(
            [str(binaries / "postgres"), "-D", str(data)],
            log=home / "postgres.log",
            account=account,
            env=_environment(),
            parent_death_signal=signal.SIGINT if end_with_parent else None,
        )
        running = RunningPostgres(process.pid, port, _password(home), home, process)
        if _wait_until_ready(running):
            return running
        if "could not bind" not in (home / "postgres.log").read_text(errors="replace")[-4000:]:
            break
        (home / "port").unlink()
    raise LocalServerError(f"PostgreSQL ({name}) does not start: see {home / 'postgres.log'}")


def _adopt(home: Path) -> RunningPostgres | None:
    """Return the live server of this data directory, ready to answer."""
    try:
        pid, data, _, port = (home / "data" / "postmaster.pid").read_text().splitlines()[:4]
    except (FileNotFoundError, ValueError):
        return None
    # Another process may have got this pid since: the postmaster works in its data folder.
    if int(pid) not in processes.processes_with(cwd=Path(data)):
        return None
    running = RunningPostgres(int(pid), int(port), _password(home), home)
    return running if _wait_until_ready(running) else None


def _clear_stale(data: Path) -> None:
    """End backends whose postmaster was killed; drop the lock that a reused pid would uphold."""
    processes.kill_all(processes.processes_with(cwd=data))
    (data / "postmaster.pid").unlink(missing_ok=True)


def _initialise(
    binaries: Path, home: Path, account: Account | None, *, name: str, fsync: bool
) -> None:
    data, password = home / "data", home / "password"
    if data.exists():
        shutil.rmtree(data)  # an initdb that was cut short
    data.mkdir(mode=0o700)
    password.unlink(missing_ok=True)
    with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(24))
    if account:
        for path in (data, password):
            os.chown(path, account.uid, account.gid)
    command = [
        *(str(binaries / "initdb"), f"--pgdata={data}", "--encoding=UTF8"),
        *_locale(binaries, account),
        *(f"--username={SUPERUSER}", "--auth=scram-sha-256", f"--pwfile={password}"),
        *("--no-instructions", *([] if fsync else ["--no-sync"])),
    ]
    result = processes.run_as(account, command, env=_environment())
    if account:
        os.chown(password, os.getuid(), os.getgid())
    if result.returncode != 0:
        (data / "PG_VERSION").unlink(missing_ok=True)
        reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise LocalServerError(f"PostgreSQL ({name}): initdb failed in {home}: {reason}")


def _locale(binaries: Path, account: Account | None) -> list[str]:
    """Return the options for texts in the order of their octets, by PostgreSQL's own comparison.

    That of the system's library takes twice as long to build an index of sirets.
    """
    options = [f"--locale={'C.UTF-8' if sys.platform == 'linux' else 'C'}"]
    if version_of(binaries, account) >= _BUILTIN_LOCALE_SINCE:
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return options


def _write_settings(home: Path, account: Account | None, *, port: int, fsync: bool) -> None:
    durability = "on" if fsync else "off"
    settings = home / "data" / "sirenade.conf"
    settings.write_text(
        f"""listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = {MAX_CONNECTIONS}
shared_buffers = 128MB
max_wal_size = 2GB
checkpoint_timeout = 15min
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %a '
log_min_error_statement = panic
log_error_verbosity = terse
fsync = {durability}
synchronous_commit = {durability}
full_page_writes = {durability}
"""
    )
    include = "include = 'sirenade.conf'\n"
    main = home / "data" / "postgresql.conf"
    if include not in main.read_text():
        with main.open("a") as file:
            file.write(include)
    if account:
        os.chown(settings, account.uid, account.gid)


def _choose_port(home: Path) -> int:
    """Choose the port of the last run while it is free, so that saved URLs stay right."""
    known = home / "port"
    if known.exists() and processes.port_is_free(int(known.read_text())):
        return int(known.read_text())
    port = processes.free_port()
    known.write_text(str(port))
    return port


def _wait_until_ready(running: RunningPostgres) -> bool:
    """Return whether the server answers in time; end one that this process started in vain."""
    if processes.wait_while_alive(running.pid, lambda: _answers(running)):
        return True
    if running.process is not None:
        running.kill()
    return False


def _answers(running: RunningPostgres) -> bool:
    try:
        with running.connect():
            return True
    except psycopg2.OperationalError:
        return False


def _password(home: Path) -> str:
    return (home / "password").read_text().strip()


def _environment() -> dict[str, str]:
    """Leave out the caller's PG* variables and locale, which would change initdb's work."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
