"""The commands `reviews import`, `reviews withdraw` and `reviews expire`."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from services.reviewer.commands.databases import register
from services.reviewer.reviews.files import Refusal, read_reviews
from services.reviewer.reviews.importer import import_reviews
from shared.days import FRANCE
from shared.db import quotations
from shared.terminal.cli import EXIT_BROKEN_PROMISE, make_app, say
from shared.terminal.words import thousands

_LINES_SHOWN = 20
_NAME = "sirenade-reviews"

reviews = make_app("Import and withdraw the reviews that a synthese quotes.")


@reviews.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV with a header (.csv), or JSON lines.")],
) -> None:
    """Import published reviews; a synthese will quote the latest, whole and word for word.

    Each line has "format": 2 and these fields: siret, site, review_id, url (the
    review's own), licence, author_label, published_on, experienced_on,
    updated_on (null if never), verbatim, and under which terms the site
    publishes: verification (none, purchase, identity or content),
    verification_description, counterpart (true or false), publication_days,
    retention_days, author_contact, modification, refusal_grounds, doubt_url.
    The manual (docs/operations.md, Reviews) has an example.

    A review that is refused is named by its line, and the exit status is 1; the
    others are kept. A review with a known site and review_id replaces the
    stored one. A second import of a file changes nothing.

    Example: ./sirenade reviews import reviews.jsonl
    """
    with register(_NAME) as engine:
        done = import_reviews(engine, read_reviews(file))
    say(
        f"{thousands(done.new)} new, {thousands(done.changed)} changed, "
        f"{thousands(done.unchanged)} kept already, {thousands(len(done.refused))} refused"
    )
    _tell(done.warnings, "warning: ")
    _tell(done.refused)
    if done.refused:
        raise typer.Exit(EXIT_BROKEN_PROMISE)


def _tell(lines: Sequence[Refusal], kind: str = "") -> None:
    for each in lines[:_LINES_SHOWN]:
        say(f"line {each.line}: {kind}{each.reason}", err=True)
    if len(lines) > _LINES_SHOWN:
        say(f"… {len(lines) - _LINES_SHOWN} more", err=True)


@reviews.command()
def withdraw(
    url: Annotated[str, typer.Argument(help="The full address of the review.")],
    undo: Annotated[
        bool, typer.Option("--undo", help="Let it come back with the next import.")
    ] = False,
) -> None:
    """Delete the reviews of one address, and every text and attempt that quoted them.

    What is left is counted and quoted anew. Later imports refuse the review, as
    long as its site may keep it.

    Example: ./sirenade reviews withdraw https://avis.example/42
    """
    with register(_NAME) as engine, engine.begin() as connection:
        if undo:
            found = quotations.readmit(connection, url)
            say("it may be imported again" if found else "it was not withdrawn")
            return
        gone = quotations.withdraw(connection, url, _today())
    say(f"{thousands(gone)} reviews deleted")


@reviews.command()
def expire() -> None:
    """Delete the reviews that are older than their site keeps them, as `withdraw` does.

    The operator does it each day (SIRENADE_REVIEWS_EXPIRE_AT); this does it now.

    Example: ./sirenade reviews expire
    """
    with register(_NAME) as engine, engine.begin() as connection:
        gone = quotations.expire(connection, _today())
    say(f"{thousands(gone)} reviews deleted")


def _today() -> dt.date:
    return dt.datetime.now(FRANCE).date()
