"""Commands for the keys of the API."""

from contextlib import AbstractContextManager
from typing import Annotated

import typer
from sqlalchemy import Engine

from services.portal.api.access import keys as api_keys
from shared.db.engine import temporary_engine
from shared.settings import DatabaseSettings, load
from shared.terminal.cli import AsJson, make_app, print_json, print_result, say

app = make_app("Give out, list and revoke keys of the API.")
Name = Annotated[str, typer.Argument(help="Who has the key; a name is used once.")]


@app.command()
def add(
    name: Name,
    per_minute: Annotated[
        int,
        typer.Option(min=1, max=api_keys.MOST_PER_MINUTE, help="Requests a minute."),
    ] = 600,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it: it is shown this once, only its hash is kept."""
    with _engine() as engine, engine.begin() as connection:
        made = api_keys.add(connection, name, per_minute)
    shown = {"name": made.name, "key": made.key, "per_minute": made.per_minute}
    print_result(
        shown,
        made.key,
        f"for {made.name}, {made.per_minute} requests a minute: Authorization: Bearer KEY",
        as_json=as_json,
    )


@app.command(name="list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys by name, with the day of their last use."""
    with _engine() as engine, engine.connect() as connection:
        rows = api_keys.listed(connection)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        used = "never used" if row["used_on"] is None else f"last used {row['used_on']}"
        state = "revoked" if row["revoked_at"] is not None else f"{row['per_minute']} a minute"
        say(f"{row['name']}: {state}, {used}")
    if not rows:
        say("no key was made yet: ./sirenade portal keys add NAME")


@app.command()
def revoke(name: Name) -> None:
    """End a key; its next request is refused."""
    with _engine() as engine, engine.begin() as connection:
        api_keys.revoke(connection, name)
    say(f"the key of {name} is revoked")


def _engine() -> AbstractContextManager[Engine]:
    settings = load(DatabaseSettings)
    return temporary_engine(
        settings.database_url.get_secret_value(), application_name="sirenade-portal-keys"
    )
