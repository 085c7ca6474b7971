"""The PostgreSQL that `make demo` fills and the commands afterwards read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.errors import LocalServerError
from deploy.local.places import LOCAL
from deploy.local.postgres import RunningPostgres, start_postgres
from deploy.local.processes import is_alive
from shared.errors import UserError

DATABASE = "sirenade"


DIRECTORY = LOCAL / "demo"


@contextmanager
def demo_postgres(directory: Path = DIRECTORY) -> Iterator[RunningPostgres]:
    """The running server: stopped afterwards where it was started for this."""
    directory.mkdir(parents=True, exist_ok=True)
    try:
        running = start_postgres(directory / "postgres", name="demo", end_with_parent=True)
    except LocalServerError as error:
        raise UserError(str(error)) from error
    try:
        yield running
    finally:
        if running.process is not None and is_alive(running.pid):
            running.stop()


@contextmanager
def demo_database(directory: Path = DIRECTORY) -> Iterator[str]:
    """The URL of the last demo's database. Raises UserError where there was none."""
    if not (directory / "postgres").exists():
        raise UserError("no database: set SIRENADE_DATABASE_URL, or run make demo first")
    with demo_postgres(directory) as running:
        if not running.has_database(DATABASE):
            raise UserError("no database: set SIRENADE_DATABASE_URL, or run make demo first")
        yield running.url_for(DATABASE)
