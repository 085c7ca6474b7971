"""The commands of `./sirenade dead-letters`."""

from typing import Annotated

import dramatiq
import typer

from services.operator.connections import open_engine
from services.operator.failures import letters
from services.operator.output import print_fields, print_rows
from shared.errors import UserError
from shared.settings import ServiceSettings, load
from shared.terminal.cli import EXIT_BROKEN_PROMISE, AsJson, make_app, print_json, print_result, say

app = make_app("List, show, replay and drop the dead letters that PostgreSQL keeps.")

_IDS = typer.Argument(metavar="ID…", help="Ids, as list prints them.", min=1)


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(help="The most letters to list.", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """List archived dead letters, the latest first."""
    with open_engine().connect() as connection:
        latest = letters.latest(connection, limit)
    print_rows(latest, "dead letters", as_json=as_json, empty="no dead letters")


@app.command()
def show(
    letter_id: Annotated[int, typer.Argument(metavar="ID", min=1)], as_json: AsJson = False
) -> None:
    """Show a letter: its queue, actor, retries and fields, never the records that it carries."""
    with open_engine().connect() as connection:
        letter = letters.opened(connection, letter_id)
    if as_json:
        print_json(letter)
        return
    inner = letter.pop("fields", None)
    print_fields(f"dead letter {letter_id}", letter | (inner if isinstance(inner, dict) else {}))


@app.command()
def replay(
    ids: Annotated[list[int] | None, _IDS] = None,
    every: Annotated[
        bool, typer.Option("--all", help="All letters that were not replayed yet.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="With ids: letters that were replayed already, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Publish messages once more, with no retries counted. Needs SIRENADE_BROKER_URL.

    A message that fails again comes back as not replayed. A message that is older than the
    register writes nothing.

    Example: ./sirenade dead-letters replay 12 13
    """
    if bool(ids) is every:
        raise UserError("give ids, or --all")
    if every and again:
        raise UserError("--again needs ids: --all means letters that were not replayed yet")
    engine = open_engine()
    with engine.connect() as connection:
        chosen = letters.choose(connection, ids or [], again=again)
    outcomes: dict[int, str | None] = {}
    for letter_id, refusal in letters.replay_each(engine, chosen, _open_broker, again=again):
        outcomes[letter_id] = refusal
        if not as_json:
            say(f"dead letter {letter_id}: {refusal or 'replayed'}")
    refused = {letter_id: refusal for letter_id, refusal in outcomes.items() if refusal}
    if as_json:
        print_json({"replayed": sorted(outcomes.keys() - refused), "refused": refused})
    elif not chosen:
        say("no dead letters to replay")
    if refused:
        raise typer.Exit(EXIT_BROKEN_PROMISE)


@app.command()
def drop(ids: Annotated[list[int], _IDS], as_json: AsJson = False) -> None:
    """Delete messages for good.

    No work is lost: the sweeper and the relay send again what is still due.
    """
    with open_engine().begin() as connection:
        dropped = letters.drop(connection, ids)
    print_result({"dropped": dropped}, f"{dropped} dead letters dropped", as_json=as_json)


def _open_broker() -> dramatiq.Broker:
    return letters.open_broker(load(ServiceSettings).broker_url.get_secret_value())
