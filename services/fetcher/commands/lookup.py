"""`./sirenade lookup`."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from services.fetcher.commands import desk
from services.fetcher.settings import FetcherSettings
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
        bool, typer.Option("--unlisted", help="All that failed and that no search lists.")
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
    count = 0
    for found in desk.look_up(load(FetcherSettings), numbers or [], unlisted=unlisted):
        count += 1
        if as_json:
            typer.echo(json.dumps(asdict(found)))
        else:
            typer.echo(f"{found.number}: {_WORDS.get(found.state) or f'moved to {found.target}'}")
    if not count and not as_json:
        typer.echo("nothing to look up")
