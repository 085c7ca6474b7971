"""The commands of `./sirenade reports`: what readers of the portal wrote about pages."""

from typing import Annotated

import typer

from services.operator.connections import open_engines
from services.operator.output import joined, print_rows
from services.operator.reports.store import close_reports, list_reports
from shared.db.shards import connected
from shared.db.tables.page_reports import KINDS
from shared.errors import UserError
from shared.terminal.cli import AsJson, make_app, print_result

app = make_app("Read what readers report of pages, and close what is done.")


@app.command("list")
def list_(
    kind: Annotated[str | None, typer.Option(help=f"Only one of {joined(KINDS)}.")] = None,
    done: Annotated[bool, typer.Option("--done", help="Show those that are done, too.")] = False,
    limit: Annotated[int, typer.Option(help="The most reports.", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """List reports, objections first. An objection is granted by ./sirenade forget SIREN.

    Example: ./sirenade reports list --kind opposition
    """
    if kind is not None and kind not in KINDS:
        raise UserError(f"{kind!r} is no kind of report: {joined(KINDS)}")
    with connected(open_engines()) as connections:
        found = list_reports(connections, kind=kind, done=done, limit=limit)
    rows = [each._asdict() for each in found]
    print_rows(rows, "reports of readers", as_json=as_json, empty="no report is open")


@app.command()
def close(
    ids: Annotated[list[int], typer.Argument(metavar="ID…", help="Ids, as list prints them.")],
    as_json: AsJson = False,
) -> None:
    """Mark reports as done; they are deleted after their time.

    Example: ./sirenade reports close 12 13
    """
    with connected(open_engines(), write=True) as connections:
        closed = close_reports(connections, ids)
        if strange := sorted(set(ids) - set(closed)):
            raise UserError(f"no such open report: {joined(strange)}")
    print_result({"closed": closed}, f"{len(closed)} reports closed", as_json=as_json)
