"""`./sirenade reviews import` and `withdraw`."""

from pathlib import Path
from typing import Annotated

import typer

from services.reviewer.reviews import store
from services.reviewer.reviews.files import read_reviews
from services.reviewer.reviews.importer import import_reviews, make_due
from shared.db.engine import make_engine
from shared.db.migrate import require_current
from shared.db.shards import require_one_database
from shared.settings import DatabaseSettings, load
from shared.terminal.cli import EXIT_BROKEN_PROMISE, make_app
from shared.terminal.words import thousands

_REFUSALS_SHOWN = 20

reviews = make_app("Reviews that customers published elsewhere: what a synthese quotes.")


@reviews.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV with a header (.csv), or JSON lines.")],
) -> None:
    """Keep published reviews, and have a synthese written that quotes them word for word.

    Fields: siret, url, licence, author_label, published_on, experienced_on
    (may be empty), verification (how the review was verified, or that it was
    not), verbatim. Days are 2026-08-05.

    What cannot be kept is named by its line, and exit status is 1; the rest is
    kept. Importing a file again changes nothing.

    Example: ./sirenade reviews import reviews.csv
    """
    settings = load(DatabaseSettings)
    require_one_database(settings)
    engine = make_engine(
        settings.database_url.get_secret_value(), application_name="sirenade-reviews", pool_size=1
    )
    with engine.connect() as connection:
        require_current(connection)
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
    url: Annotated[str, typer.Argument(help="Where the review was published.")],
) -> None:
    """Delete the reviews of one address; what quoted them is written anew, or taken back.

    Example: ./sirenade reviews withdraw https://avis.example/42
    """
    settings = load(DatabaseSettings)
    require_one_database(settings)
    engine = make_engine(
        settings.database_url.get_secret_value(), application_name="sirenade-reviews", pool_size=1
    )
    with engine.begin() as connection:
        require_current(connection)
        sirets = store.withdraw(connection, url)
        make_due(connection, set(sirets))
    typer.echo(f"{thousands(len(sirets))} reviews deleted")
