"""The commands of `./sirenade failed`."""

from dataclasses import asdict
from typing import Annotated

import typer

from services.operator.connections import open_engines
from services.operator.failures import items, retries
from services.operator.failures.retries import Retry
from services.operator.output import joined, print_fields, print_rows
from shared.db.shards import connected
from shared.errors import UserError
from shared.terminal.cli import AsJson, make_app, print_json, print_result, say

app = make_app("List, show, retry and purge what could not be written or reviewed.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List open failed items by cause."""
    with connected(open_engines()) as connections:
        causes = items.list_causes(connections)
    print_rows(causes, "failed items still open, by cause", as_json=as_json, empty="nothing failed")


@app.command()
def show(
    wanted: Annotated[
        list[str], typer.Argument(metavar="KIND|ID…", help="write, review, or ids of items.")
    ],
    limit: Annotated[int, typer.Option(help="The most items of each kind.", min=1)] = 20,
    payload: Annotated[
        bool, typer.Option("--payload", help="Show the record too, unless its unit has withdrawn.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show items with their batch, run, stored version and avis.

    Example: ./sirenade failed show review --limit 5
    """
    with connected(open_engines()) as connections:
        shown = items.show(connections, wanted, limit=limit, with_payload=payload)
    if as_json:
        print_json(shown)
        return
    for item in shown:
        print_fields(f"failed item {item['id']}", item)
    if not shown:
        say("nothing failed")


@app.command()
def retry(
    ids: Annotated[
        list[int] | None, typer.Argument(metavar="ID…", help="Ids, as show prints them.", min=1)
    ] = None,
    code: Annotated[
        str | None, typer.Option(help="All open items of this cause, as list prints it.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All open items.")] = False,
    as_json: AsJson = False,
) -> None:
    """Order the work again: establishments in one new import, avis from the reviewer.

    An item stays open until its row is written, or its text accepted.

    Example: ./sirenade failed retry --code invalid_date
    """
    if [bool(ids), code is not None, every].count(True) != 1:
        raise UserError("give ids, or --code CODE, or --all")
    with connected(open_engines(), write=True) as connections:
        outcome = retries.retry(connections, ids or [], code=code)
    lines = _lines(outcome) or ["nothing to retry"]
    print_result(asdict(outcome), *lines, as_json=as_json)


@app.command()
def purge(
    older_than_days: Annotated[
        int, typer.Option(help="Days since the item was resolved.", min=0, max=36_500)
    ] = 30,
    as_json: AsJson = False,
) -> None:
    """Delete items that were resolved long ago. Open items stay, however old."""
    with connected(open_engines(), write=True) as connections:
        deleted = items.purge(connections, older_than_days=older_than_days)
    print_result({"deleted": deleted}, f"{deleted} resolved items deleted", as_json=as_json)


def _lines(outcome: Retry) -> list[str]:
    lines = {
        f"fetched again from INSEE in run {outcome.run_id}": outcome.fetched,
        "on their way already, in an open import": outcome.under_way,
        "due for review again": outcome.reviewed,
        "closed, their avis are no longer due": outcome.no_longer_due,
        "without a siret: import the window of their batch again": outcome.without_siret,
    }
    return [f"{len(ids)} {what} (items {joined(ids)})" for what, ids in lines.items() if ids]
