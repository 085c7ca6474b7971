"""Command line of the writer: the service itself, and a look at what it makes of records."""

import datetime as dt
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from services.writer import main
from services.writer.commands.forget import forget
from services.writer.commands.inspect import inspect_lines
from services.writer.settings import StockSettings
from shared.db.shards import require_one_database
from shared.errors import UserError
from shared.settings import load
from shared.terminal.cli import make_app
from shared.terminal.cli import run as run_cli

app = make_app("Write INSEE's records to PostgreSQL.")


@app.command()
def run() -> None:
    """Run the writer service until SIGTERM; settings come from SIRENADE_* variables."""
    main.main()


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="JSON lines of API records; - reads stdin.")],
) -> None:
    """Print for each API record one JSON line: the rows it becomes, or its error code.

    Example: ./sirenade inspect records.jsonl
    """
    source = Path("/dev/stdin") if str(file) == "-" else file
    try:
        with source.open(encoding="utf-8") as lines:
            for line in inspect_lines(lines):
                typer.echo(line)
    except BrokenPipeError:
        raise  # the reader has seen enough: typer ends in silence
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"cannot read {file}: it is not UTF-8") from None


@app.command()
def stock(  # noqa: PLR0913, PLR0917  one parameter per command-line option
    files: Annotated[
        list[str] | None,
        typer.Argument(help="StockEtablissement, StockUniteLegale: paths or http(s) URLs."),
    ] = None,
    date: Annotated[
        dt.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="The files' day; by default the first of the month that they were made in.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also where a file has far fewer rows than before.")
    ] = False,
    without_pages: Annotated[
        bool, typer.Option("--without-pages", help="Rows only; the same command again does them.")
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Look at the files, load nothing.")] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Drop what interrupted loads left behind.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
) -> None:
    """Load INSEE's monthly stock files (CSV, zip of CSV, parquet) into the register.

    An interrupted load goes on when the same command is given again; `delta` goes on from the
    files' last treatment. The history files are not loaded: periods come from the API.

    Example: ./sirenade stock StockUniteLegale_utf8.zip StockEtablissement_utf8.zip
    """
    # Arrow is large, and for this command alone.
    from services.writer.stock import command  # noqa: PLC0415  as above

    if bool(files) == discard:
        raise UserError("name the stock files, or --discard")
    if plan:
        for planned in command.plan(files or []):
            typer.echo(json.dumps(asdict(planned)) if as_json else command.plan_in_words(planned))
        return
    settings = load(StockSettings)
    require_one_database(settings)
    url = settings.database_url.get_secret_value()
    if discard:
        for collection in command.discard(url):
            typer.echo(json.dumps({"discarded": collection}) if as_json else f"{collection}: gone")
        return
    options = command.StockOptions(
        file_date=None if date is None else date.date(),
        force=force,
        pages=not without_pages,
        sole_traders=settings.avis_sole_traders,
    )
    for loaded in command.load(url, files or [], options):
        typer.echo(json.dumps(command.as_json(loaded)) if as_json else command.in_words(loaded))


app.command()(forget)


if __name__ == "__main__":
    run_cli(app, name="sirenade")
