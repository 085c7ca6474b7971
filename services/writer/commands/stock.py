"""`./sirenade stock`: its options and its words."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from services.writer.main import read_stock_settings
from services.writer.settings import StockFileSettings
from shared.errors import UserError
from shared.settings import load
from shared.terminal.cli import EXIT_BROKEN_PROMISE, AsJson, print_result
from shared.terminal.words import thousands

if TYPE_CHECKING:
    from services.writer.stock.command import Planned
    from services.writer.stock.comparison import StockComparison
    from services.writer.stock.loader import StockOptions
    from services.writer.stock.log import StockLoad


def stock(  # noqa: PLR0913, PLR0917  one parameter per command-line option
    files: Annotated[
        list[str] | None,
        typer.Argument(help="StockEtablissement, StockUniteLegale: paths or http(s) URLs."),
    ] = None,
    date: Annotated[
        dt.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Day of the files; by default the first day of the month in which they were made.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Load a file that has far fewer rows than before.")
    ] = False,
    without_pages: Annotated[
        bool,
        typer.Option(
            "--without-pages",
            help="Load the rows only; the same command without this option makes the pages.",
        ),
    ] = False,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="Count the rows that differ from the register, by column; write nothing.",
        ),
    ] = False,
    take: Annotated[
        bool,
        typer.Option(
            "--take", help="Store also rows that differ although their treatment date is the same."
        ),
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Look at the files, load nothing.")] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Drop what interrupted loads left behind.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Load INSEE's monthly stock files (parquet, CSV, zip or gzip of CSV) into the register.

    An interrupted load goes on when the same command is given again; `delta` goes on from the
    last treatment in the files. The history files are not loaded: periods come from the API.
    A row that cannot be read is left out and named by its line; the exit status is then 1, and
    with --compare where a row differs.

    Example: ./sirenade stock StockUniteLegale_utf8.zip StockEtablissement_utf8.zip
    """
    # Arrow is large, and the images of the services do not have it.
    from services.writer.stock import command, loader  # noqa: PLC0415  as above

    if bool(files) == discard or (compare and take):
        raise UserError("name the stock files or --discard, and one of --compare and --take")
    if plan:
        for planned in command.plan(files or [], load(StockFileSettings).egress):
            print_result(asdict(planned), _plan_in_words(planned), as_json=as_json)
        return
    settings = read_stock_settings()
    url = settings.database_url.get_secret_value()
    if discard:
        for collection in command.discard(url):
            print_result({"discarded": collection}, f"{collection}: gone", as_json=as_json)
        return
    options = loader.StockOptions(
        file_date=None if date is None else date.date(),
        force=force,
        compare=compare,
        take=take,
        pages=not without_pages,
        sole_traders=settings.avis_sole_traders,
        egress=settings.egress,
    )
    run = _compare if compare else _load
    if run(url, files or [], options, as_json=as_json):
        raise typer.Exit(EXIT_BROKEN_PROMISE)


def _compare(url: str, files: Sequence[str], options: "StockOptions", *, as_json: bool) -> bool:
    """Return whether a row differs."""
    from services.writer.stock import command  # noqa: PLC0415  as above

    found = command.compare(url, files, options)
    for each in found:
        print_result(asdict(each), *_comparison_in_words(each), as_json=as_json)
    return any(each.differing for each in found)


def _load(url: str, files: Sequence[str], options: "StockOptions", *, as_json: bool) -> bool:
    """Return whether a row was refused."""
    from services.writer.stock import command  # noqa: PLC0415  as above

    loads = command.load(url, files, options)
    for loaded in loads:
        print_result(_as_json(loaded), _in_words(loaded), as_json=as_json)
    return any(loaded.refused for loaded in loads)


# They are of use to a load that goes on, or to who judges it.
_OWN_COLUMNS = {"file_identity", "chunk_rows", "merged_blocks", "pages_siret", "head_offices"}


def _as_json(load: "StockLoad") -> dict[str, object]:
    return {
        name: value.isoformat() if isinstance(value, dt.date) else value
        for name, value in asdict(load).items()
        if name not in _OWN_COLUMNS
    }


def _plan_in_words(planned: "Planned") -> str:
    rows = "?" if planned.rows is None else thousands(planned.rows)
    unknown = f"; unknown: {', '.join(planned.unknown_columns)}" if planned.unknown_columns else ""
    absent = f"; absent: {', '.join(planned.absent_columns)}" if planned.absent_columns else ""
    return (
        f"{planned.file}: {planned.collection}, {rows} rows, {thousands(planned.bytes or 0)} bytes,"
        f" {planned.columns} columns{unknown}{absent}"
    )


def _comparison_in_words(found: "StockComparison") -> list[str]:
    line = (
        f"{found.collection}: {thousands(found.rows)} rows, {thousands(found.refused)} refused:"
        f" {thousands(found.new)} new, {thousands(found.newer)} newer,"
        f" {thousands(found.older)} older, {thousands(found.vanished)} no longer in the file;"
        f" {thousands(found.differing)} differ at the same date"
    )
    return [line, *(f"  {name}: {thousands(n)}" for name, n in found.columns.items())]


def _in_words(load: "StockLoad") -> str:
    seconds = ((load.finished_at or load.started_at) - load.started_at).total_seconds()
    until = "never" if load.treated_until is None else f"{load.treated_until:%Y-%m-%d %H:%M}"
    return (
        f"{load.collection}: {thousands(load.rows)} rows in {seconds:.0f} s ({load.way}):"
        f" {thousands(load.inserted)} new, {thousands(load.updated)} newer,"
        f" {thousands(load.vanished or 0)} no longer in the file,"
        f" {thousands(load.refused)} refused; treated until {until}"
    )
