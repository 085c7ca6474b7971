"""The commands `reviews import` and `reviews withdraw`."""

from pathlib import Path
from typing import Annotated

import typer

from services.reviewer.commands.databases import register
from services.reviewer.reviews import store
from services.reviewer.reviews.files import read_reviews
from services.reviewer.reviews.importer import import_reviews, make_due
from shared.terminal.cli import EXIT_BROKEN_PROMISE, make_app
from shared.terminal.words import thousands

_REFUSALS_SHOWN = 20
_NAME = "sirenade-reviews"

reviews = make_app("Import and withdraw the reviews that a synthese quotes.")


@reviews.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV with a header (.csv), or JSON lines.")],
) -> None:
    """Import published reviews; a synthese will quote them word for word.

    Fields: siret, url, licence, author_label, published_on, experienced_on
    (may be empty), verification (how the review was verified, or that it was
    not), verbatim. Days are 2026-08-05.

    A review that is refused is named by its line, and the exit status is 1; the
    others are kept. A second import of a file changes nothing.

    Example: ./sirenade reviews import reviews.csv
    """
    with register(_NAME) as engine:
        done = import_reviews(engine, read_reviews(file))
    typer.echo(
        f"{thousands(done.new)} new, {thousands(done.changed)} changed, "
        f"{thousands(done.unchanged)} kept already, {thousands(len(done.refused))} refused"
    )
    for refusal in done.refused[:_REFUSALS_SHOWN]:
        typer.echo(f"line {refusal.line}: {refusal.reason}", err=True)
    if len(done.refused) > _REFUSALS_SHOWN:
        typer.echo(f"… {len(done.refused) - _REFUSALS_SHOWN} more", err=True)
    if done.refused:
        raise typer.Exit(EXIT_BROKEN_PROMISE)


@reviews.command()
def withdraw(
    url: Annotated[str, typer.Argument(help="The address at which the reviews were published.")],
) -> None:
    """Delete the reviews of one address, and write anew or take back what quoted them.

    Example: ./sirenade reviews withdraw https://avis.example/42
    """
    with register(_NAME) as engine, engine.begin() as connection:
        sirets = store.withdraw(connection, url)
        make_due(connection, set(sirets))
    typer.echo(f"{thousands(len(sirets))} reviews deleted")
