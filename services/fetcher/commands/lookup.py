"""`./sirenade lookup`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

from typer import Argument, Option

from services.fetcher.commands.desk import Desk, open_desk
from services.fetcher.insee.client import InseeClient
from services.fetcher.lookups import LookedUp, record, unlisted_sirets
from services.fetcher.settings import FetcherSettings
from shared.clock import Clock
from shared.db.engine import temporary_engine
from shared.db.shards import require_one_database, url_for
from shared.errors import UserError
from shared.settings import load
from shared.sirene.identifiers import is_siren, is_siret, siren_of
from shared.terminal.cli import print_result, say

_WORDS = {
    "listed": "INSEE lists it",
    "withheld": "INSEE does not show it",
    "unknown": "INSEE knows no such number",
}


def lookup(
    numbers: Annotated[
        list[str] | None, Argument(metavar="SIREN|SIRET…", help="Numbers to ask for.")
    ] = None,
    unlisted: Annotated[
        bool, Option("--unlisted", help="Ask for all that failed and that no search lists.")
    ] = False,
    as_json: Annotated[bool, Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """Ask INSEE what became of single numbers, one request each, and record where they lead.

    Example: ./sirenade lookup 552032534
    """
    if not numbers and not unlisted:
        raise UserError("say which: SIREN|SIRET…, or --unlisted")
    check_numbers(numbers or [])
    settings = load(FetcherSettings)
    if unlisted:
        require_one_database(settings)
    with open_desk(settings, Clock()) as desk:
        more = unlisted_sirets(desk.engine) if unlisted else ()
        wanted = dict.fromkeys([*(numbers or ()), *more])
        for number in wanted:
            found = look_up(settings, desk, number)
            state = _WORDS.get(found.state) or f"moved to {found.target}"
            if found.page_closed:
                state += "; its page is closed"
            print_result(asdict(found), f"{found.number}: {state}", as_json=as_json)
    if not wanted and not as_json:
        say("nothing to look up")


def check_numbers(numbers: Sequence[str]) -> None:
    """Raise UserError that names the first one that is neither a siren nor a siret."""
    strange = [each for each in numbers if not is_siren(each) and not is_siret(each)]
    if strange:
        raise UserError(f"{strange[0][:40]!r} is neither a siren nor a siret")


def look_up(settings: FetcherSettings, desk: Desk, number: str) -> LookedUp:
    """Ask INSEE what became of the number, and record where it leads."""
    answer = desk.inquirer.ask(InseeClient.one, number)
    url = url_for(settings, siren_of(number))
    with temporary_engine(url, application_name="sirenade-lookup") as shard:
        return record(desk.engine, number, answer, shard=shard)
