"""The command line of the reviewer: the service, and commands about its texts."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.reviewer import main
from services.reviewer.commands import budget, forecast
from services.reviewer.commands import run as avis_run
from services.reviewer.commands.check import check_lines
from services.reviewer.commands.databases import register
from services.reviewer.commands.json_ld import json_ld
from services.reviewer.commands.reviews import reviews
from services.reviewer.commands.show import read_avis, render_avis
from services.reviewer.money.amounts import json_default
from shared.clock import utc_now
from shared.db.engine import make_engine
from shared.db.migrate import require_current
from shared.db.shards import url_for
from shared.errors import UserError
from shared.settings import DatabaseSettings, load
from shared.sirene.identifiers import siren_of
from shared.terminal.cli import make_app
from shared.terminal.cli import run as run_cli
from shared.terminal.words import thousands

_SIRET_DIGITS = 14

app = make_app("Write, check and store the avis.")
avis = make_app("Show avis, order them, and check texts of other origin.")
app.add_typer(avis, name="avis")
app.add_typer(reviews, name="reviews")
avis.command()(avis_run.run)
avis.command()(budget.budget)
avis.command()(budget.pause)
avis.command()(budget.resume)
avis.command("forecast")(forecast.forecast_command)


@app.command()
def run() -> None:
    """Run the reviewer service until SIGTERM; settings come from SIRENADE_* variables."""
    main.main()


@avis.command()
def show(
    siret: Annotated[str, typer.Argument(help="SIRET of the establishment; spaces may stay.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON array instead of tables.")
    ] = False,
    as_json_ld: Annotated[
        bool,
        typer.Option("--json-ld", help="Print JSON-LD for a web page, with label and provenance."),
    ] = False,
) -> None:
    """Show facts, text, label, outcome and attempts of an establishment's avis.

    Example: ./sirenade avis show 55210055400013
    """
    digits = "".join(siret.split())
    if len(digits) != _SIRET_DIGITS or not digits.isdecimal():
        raise UserError("a SIRET has 14 digits")
    settings = load(DatabaseSettings)
    url = url_for(settings, siren_of(digits))
    engine = make_engine(url, application_name="sirenade-avis", pool_size=1)
    with engine.connect() as connection:
        require_current(connection)
    found = read_avis(engine, digits)
    if as_json_ld:
        typer.echo(json_ld(found))
        return
    if as_json:
        typer.echo(json.dumps(found, default=json_default, ensure_ascii=False))
        return
    console = Console()
    for one in found:
        console.print(render_avis(one))


@avis.command()
def check(
    file: Annotated[Path, typer.Argument(help="File of JSON lines; - is the standard input.")],
) -> None:
    """Check texts: each line {"facts": {…}, "text": "…"} gets one line with its verdict.

    Example: ./sirenade avis check texts.jsonl
    """
    source = Path("/dev/stdin") if str(file) == "-" else file
    try:
        lines = source.open(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from None
    with lines:
        for verdict in check_lines(lines):
            typer.echo(verdict)


@avis.command()
def report(
    out: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("avis-report.html"),
    texts: Annotated[
        int, typer.Option(min=0, max=1000, help="Number of texts to show, drawn at random.")
    ] = 20,
) -> None:
    """Write an HTML report on the quality of the texts: rejections, lengths, cost, examples.

    Example: ./sirenade avis report --out texts.html
    """
    # The library of the plots needs more memory than the service, which never draws.
    from services.reviewer.commands.report.figures import read_report  # noqa: PLC0415
    from services.reviewer.commands.report.page import render  # noqa: PLC0415

    with (
        register("sirenade-report", statement_timeout_seconds=0) as engine,
        engine.connect() as connection,
    ):
        found = read_report(connection, samples=texts)
    if not found.outcomes:
        raise UserError("there are no avis yet: import some establishments first")
    try:
        out.write_text(render(found, now=utc_now()), encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}") from None
    typer.echo(f"{out}: {thousands(found.accepted)} accepted texts, {len(found.samples)} to read")


if __name__ == "__main__":
    run_cli(app, name="sirenade")
