"""The command `avis report`: one page with plots on the quality of the texts."""

from pathlib import Path
from typing import Annotated

import typer

from services.reviewer.commands.databases import register
from shared.clock import utc_now
from shared.errors import UserError
from shared.private_files import write_private
from shared.terminal.cli import say
from shared.terminal.words import thousands


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

    with register("sirenade-report", statement_timeout_seconds=0) as engine:
        found = read_report(engine, samples=texts)
    if not found.outcomes:
        raise UserError("there are no avis yet: import some establishments first")
    try:
        # It shows names and texts, and nobody deletes it after an erasure.
        write_private(out, render(found, now=utc_now()))
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}") from None
    say(f"{out}: {thousands(found.accepted)} accepted texts, {len(found.samples)} to read")
