"""`./sirenade lookup`."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from services.fetcher.commands.desk import open_desk
from services.fetcher.commands.lookup_store import record, unlisted_sirets
from services.fetcher.settings import FetcherSettings
from shared.clock import Clock
from shared.db.shards import require_one_database
from shared.errors import UserError
from shared.settings import load
from shared.sirene.identifiers import is_siren, is_siret

_WORDS = {
    "listed": "INSEE lists it",
    "withheld": "INSEE does not show it",
    "unknown": "INSEE knows no such number",
}


def lookup(
    numbers: Annotated[
        list[str] | None, typer.Argument(metavar="SIREN|SIRET…", help="Numbers to ask for.")
    ] = None,
    unlisted: Annotated[
        bool, typer.Option("--unlisted", help="Ask for all that failed and that no search lists.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """Ask INSEE what became of single numbers, one request each, and record where they lead.

    Example: ./sirenade lookup 552032534
    """
    if not numbers and not unlisted:
        raise UserError("say which: SIREN|SIRET…, or --unlisted")
    strange = [each for each in numbers or [] if not is_siren(each) and not is_siret(each)]
    if strange:
        raise UserError(f"{strange[0][:40]!r} is neither a siren nor a siret")
    settings = load(FetcherSettings)
    if unlisted:
        require_one_database(settings)
    with open_desk(settings, Clock()) as desk:
        wanted = dict.fromkeys(
            [*(numbers or ()), *(unlisted_sirets(desk.engine) if unlisted else ())]
        )
        for number in wanted:
            found = record(desk.engine, number, desk.inquirer.one(number))
            if as_json:
                typer.echo(json.dumps(asdict(found)))
            else:
                state = _WORDS.get(found.state) or f"moved to {found.target}"
                typer.echo(f"{found.number}: {state}")
    if not wanted and not as_json:
        typer.echo("nothing to look up")
