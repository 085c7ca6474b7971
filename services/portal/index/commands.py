"""`./sirenade search`: make the index anew, compare it with the register; `index` runs it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlalchemy import Engine

from services.portal.index import check as checking
from services.portal.index import indexer, prefixes
from services.portal.index import rebuild as rebuilding
from services.portal.index.check import IndexDifferences
from services.portal.index.service import TIMEOUT_SECONDS, build
from services.portal.index.settings import IndexSettings
from shared.db.engine import temporary_engine
from shared.runtime.service import run_service
from shared.settings import DatabaseSettings, load
from shared.terminal.cli import EXIT_BROKEN_PROMISE, AsJson, make_app, print_json, say
from shared.terminal.words import eta, thousands

app = make_app("Make the portal's index, and compare it with the register.")

_TOLD_EVERY_SECONDS = 5.0


def index() -> None:
    """Run the indexer until SIGTERM: it brings the index up to date as pages change."""
    run_service("indexer", load(IndexSettings), build)


@app.command()
def rebuild(
    empty: Annotated[
        bool, typer.Option("--empty", help="Empty the index first: nothing is found meanwhile.")
    ] = False,
) -> None:
    """Put all pages into the index again; searches are answered meanwhile.

    What is right already stays. A rebuild that was interrupted goes on where it was, with the
    indexer or with this command.
    """
    for url in load(DatabaseSettings).shard_urls:
        with _opened(url) as engine:
            if empty or not rebuilding.is_ordered(engine):
                rebuilding.begin(engine, empty=empty)
            for line in _rebuilt(engine):
                say(line)


@app.command()
def check(as_json: AsJson = False) -> None:
    """Compare the index with the register, page by page and word by word.

    Exit status 1 where they differ. It reads both whole, in one snapshot.
    """
    found = IndexDifferences()
    for url in load(DatabaseSettings).shard_urls:
        with _opened(url) as engine, engine.connect() as connection:
            snapshot = connection.execution_options(isolation_level="REPEATABLE READ")
            found += checking.compare(snapshot)
    if as_json:
        print_json({**vars(found), "agrees": found.agrees})
    else:
        say(*_told(found))
    if not found.agrees:
        raise typer.Exit(EXIT_BROKEN_PROMISE)


@contextmanager
def _opened(url: str) -> Iterator[Engine]:
    options = {"application_name": "sirenade-search", "statement_timeout_seconds": TIMEOUT_SECONDS}
    with temporary_engine(url, **options) as engine:
        yield engine


def _rebuilt(engine: Engine) -> Iterator[str]:
    """Do all steps; yield how far it is, how fast, and when it will be done."""
    done, total = rebuilding.progress(engine)
    began, first, told = time.monotonic(), done, 0.0
    written = 0
    while (step := rebuilding.step(engine)) is not None:
        indexer.clean(engine)
        done += step.pages
        written += step.put.put
        passed = time.monotonic() - began
        if passed - told >= _TOLD_EVERY_SECONDS or step.is_last:
            told, rate = passed, (done - first) / max(passed, 0.001)
            left = eta(max(total - done, 0) / rate) if rate else eta(None)
            yield (
                f"{thousands(done)} of {thousands(max(total, done))} pages,"
                f" {thousands(round(rate))} a second, {left} left"
            )
        if step.is_last:
            break
    prefixes.renew(engine)
    rebuilding.compact(engine)
    yield f"{thousands(written)} entries were written"


def _told(found: IndexDifferences) -> Iterator[str]:
    sign = "=" if found.pages == found.entries else "≠"
    yield (
        f"{thousands(found.pages)} {sign} {thousands(found.entries)}:"
        " pages that may be found, and entries of the index"
    )
    if found.waiting:
        yield f"{thousands(found.waiting)} pages have changed and wait for the indexer"
    differences = {
        "missing": "pages without an entry",
        "surplus": "entries without a page that may be found",
        "altered": "entries that say something else than the register",
        "missing_words": "words of entries that the lexicon lacks",
        "surplus_words": "words that no entry holds",
    }
    for name, meaning in differences.items():
        if number := getattr(found, name):
            yield f"{thousands(number)} {meaning}"
    if not found.agrees:
        yield "./sirenade search rebuild mends entries; with --empty, words too"
