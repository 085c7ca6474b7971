"""`./sirenade successions`."""

import datetime as dt
from typing import Annotated

from rich.progress import Progress
from typer import Option

from services.fetcher.commands.desk import Desk, open_desk
from services.fetcher.commands.succession_store import store_links
from services.fetcher.insee.client import InseeClient
from services.fetcher.plan.page_end import FIRST_CURSOR
from services.fetcher.settings import FetcherSettings
from shared.clock import Clock
from shared.errors import UserError
from shared.settings import load
from shared.sirene.identifiers import is_siret
from shared.terminal.cli import print_result
from shared.terminal.console import Console


def successions(
    since: Annotated[
        str | None, Option(help="Store links that INSEE treated since that day: 2026-07-01.")
    ] = None,
    siret: Annotated[
        str | None, Option(help="Store the links from this establishment to its successors.")
    ] = None,
    as_json: Annotated[
        bool, Option("--json", help="Print the outcome as one JSON object.")
    ] = False,
) -> None:
    """Store which establishment followed which; a second run changes nothing.

    Example: ./sirenade successions --since 2026-07-01
    """
    if (since is None) is (siret is None):
        raise UserError("say which: --since DAY, or --siret SIRET")
    if siret is not None and not is_siret(siret):
        raise UserError(f"{siret[:40]!r} is not a siret: fourteen digits")
    if since is not None:
        query = f"dateDernierTraitementLienSuccession:[{_day(since)} TO *]"
    else:
        query = f"siretEtablissementPredecesseur:{siret}"
    settings = load(FetcherSettings)
    with Progress(console=Console(stderr=True)) as progress, open_desk(settings, Clock()) as desk:
        stored, bad = _import_links(desk, query, progress)
    line = f"{stored} links stored" + (f", {bad} could not be read" if bad else "")
    print_result({"stored": stored, "bad": bad}, line, as_json=as_json)


def _import_links(desk: Desk, query: str, progress: Progress) -> tuple[int, int]:
    """Store the links that the query finds, page by page; return how many, and how many are bad."""
    task = progress.add_task("successions", total=None)
    cursor: str | None = FIRST_CURSOR
    received = stored = bad = 0
    while cursor is not None:
        answer = desk.inquirer.ask(
            InseeClient.search_successions, query, nombre=desk.rows_per_page, curseur=cursor
        )
        received += len(answer.records)
        of_page = store_links(desk.engine, answer.records)
        stored, bad = stored + of_page[0], bad + of_page[1]
        progress.update(task, total=answer.total, completed=received)
        cursor = None if answer.next_cursor == cursor else answer.next_cursor
    return stored, bad


def _day(word: str) -> str:
    try:
        return dt.date.fromisoformat(word).isoformat()
    except ValueError:
        raise UserError(f"{word[:40]!r} is not a day: 2026-07-01") from None
