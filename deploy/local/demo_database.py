"""The PostgreSQL that `make demo` fills, and that later commands read."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from deploy.local.folders import LOCAL
from deploy.local.postgres import RunningPostgres, start_postgres
from shared.errors import UserError

DATABASE = "sirenade"
DIRECTORY = LOCAL / "demo"
_NO_DATABASE = "no database: set SIRENADE_DATABASE_URL, or run make demo first"


def require_space(*directories: Path, free_bytes: int) -> None:
    """Raise UserError where a disk is nearly full: PostgreSQL and the log would break on it."""
    for directory in directories:
        left_bytes = shutil.disk_usage(directory).free
        if left_bytes < free_bytes:
            raise UserError(
                f"the disk of {directory} is nearly full: {left_bytes >> 20} MiB are left, "
                f"{free_bytes >> 20} are needed"
            )


@contextmanager
def only_demo(directory: Path) -> Iterator[None]:
    """Hold the folder for one demo. Raises UserError where another one runs there."""
    with (directory / "demo.lock").open("a") as lock:
        if not _lock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB):
            raise UserError(f"a demo is running in {directory}: ./sirenade status shows it")
        yield


@contextmanager
def demo_postgres(
    directory: Path = DIRECTORY, *, end_with_parent: bool = False
) -> Iterator[RunningPostgres]:
    """Start the server if need be; its last user stops it.

    `end_with_parent` ends a server that this call starts together with the process. A short
    command leaves it off: another command may use its server when it ends.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "users.lock").open("a") as users:
        with _turn(directory):
            running = start_postgres(
                directory / "postgres", name="demo", end_with_parent=end_with_parent
            )
            _lock(users, fcntl.LOCK_SH)
        try:
            yield running
        finally:
            with _turn(directory):
                if _lock(users, fcntl.LOCK_EX | fcntl.LOCK_NB):
                    running.stop()


@contextmanager
def demo_database(directory: Path = DIRECTORY) -> Iterator[str]:
    """Yield the URL of the last demo's database. Raises UserError where there was none."""
    if not (directory / "postgres").exists():
        raise UserError(_NO_DATABASE)
    with demo_postgres(directory) as running:
        if not running.has_database(DATABASE):
            raise UserError(_NO_DATABASE)
        yield running.url_for(DATABASE)


@contextmanager
def _turn(directory: Path) -> Iterator[None]:
    """Start or stop alone; the kernel frees the lock of a killed process."""
    with (directory / "turn.lock").open("a") as turn:
        _lock(turn, fcntl.LOCK_EX)
        yield


def _lock(file: IO[str], mode: int) -> bool:
    try:
        fcntl.flock(file, mode)
    except BlockingIOError:
        return False
    return True
