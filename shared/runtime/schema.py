"""The wait for the schema of this version, where nothing else orders the starts of services.

    python -m shared.runtime.schema wait --patience-seconds 3600

A pod of Kubernetes runs it first: the pods of the former version work meanwhile.
"""

from typing import Annotated

import typer
from sqlalchemy.exc import DBAPIError

from shared.clock import Clock
from shared.db.engine import temporary_engine
from shared.db.outages import is_passing
from shared.db.revision import NotCurrent, require_current
from shared.errors import UserError
from shared.logs import name_of
from shared.settings import DatabaseSettings, load
from shared.terminal.cli import make_app, run, say

app = make_app("Wait for the schema of this version.")

_PAUSE_SECONDS = 2.0


@app.command()
def wait(
    patience_seconds: Annotated[float, typer.Option(min=0, help="The longest wait.")] = 3600,
) -> None:
    """Wait until each database has the schema of this version. Exit status 2 where it never has.

    A newer schema is not waited for: it does not become older.
    """
    settings = load(DatabaseSettings)
    urls = dict.fromkeys((settings.database_url.get_secret_value(), *settings.shard_urls))
    wait_for_schema([*urls], Clock(), patience_seconds=patience_seconds)
    say("the schema is that of this version")


def wait_for_schema(urls: list[str], clock: Clock, *, patience_seconds: float) -> None:
    """Return when all have it. Raises UserError where the patience ends, or a schema is newer."""
    deadline_seconds = clock.monotonic_seconds() + patience_seconds
    told = ""
    while reason := _first_lack(urls):
        if reason != told:
            say(f"waiting: {reason}")
            told = reason
        if clock.monotonic_seconds() >= deadline_seconds:
            raise UserError(f"after {patience_seconds:g} s: {reason}")
        clock.wait(_PAUSE_SECONDS)


def _first_lack(urls: list[str]) -> str:
    """Return why a database cannot be worked with yet; nothing where all can."""
    for url in urls:
        try:
            with (
                temporary_engine(url, application_name="sirenade-schema") as engine,
                engine.connect() as connection,
            ):
                require_current(connection)
        except NotCurrent as error:
            if error.is_newer:
                raise
            return str(error)
        except DBAPIError as error:
            if not is_passing(error):
                raise
            return f"the database does not answer ({name_of(error)})"
    return ""


if __name__ == "__main__":
    run(app, name="python -m shared.runtime.schema")
