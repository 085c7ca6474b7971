"""`./sirenade search`: make the index anew, compare it with the register; `index` runs it.

Where Elasticsearch is switched on, its index is made and compared as well.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlalchemy import Engine

from services.portal.elasticsearch.server import ElasticsearchAway
from services.portal.index import check as checking
from services.portal.index import indexer, prefixes
from services.portal.index import rebuild as rebuilding
from services.portal.index.check import IndexDifferences
from services.portal.index.elasticsearch.check import DocumentDifferences, compare_documents
from services.portal.index.elasticsearch.follower import Follower
from services.portal.index.service import TIMEOUT_SECONDS, build, follower_of
from services.portal.index.settings import IndexSettings
from services.portal.settings import SearchSettings
from shared.clock import Clock
from shared.db.engine import temporary_engine
from shared.errors import UserError
from shared.metrics import Metrics
from shared.runtime.service import run_service
from shared.settings import load
from shared.terminal.cli import EXIT_BROKEN_PROMISE, AsJson, make_app, print_json, say
from shared.terminal.words import counted, eta, thousands

app = make_app("Make the portal's index, and compare it with the register.")

_TOLD_EVERY_SECONDS = 5.0
# An indexer that makes the same index holds it.
_BETWEEN_STEPS_SECONDS = 0.1


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
    settings = load(SearchSettings)
    for shard, url in enumerate(settings.shard_urls):
        with _opened(url) as engine:
            if empty or not rebuilding.is_ordered(engine):
                rebuilding.begin(engine, empty=empty)
            for line in _rebuilt(engine):
                say(line)
            if settings.search_engine == "elasticsearch":
                say(_rebuilt_documents(_follower(settings, engine, shard)))


@app.command()
def check(as_json: AsJson = False) -> None:
    """Compare the index with the register, page by page and word by word.

    Exit status 1 where they differ. It reads both whole, in one snapshot.
    """
    settings = load(SearchSettings)
    found, documents = IndexDifferences(), DocumentDifferences()
    is_asked = settings.search_engine == "elasticsearch"
    for shard, url in enumerate(settings.shard_urls):
        with _opened(url) as engine:
            with engine.connect() as connection:
                snapshot = connection.execution_options(isolation_level="REPEATABLE READ")
                found += checking.compare(snapshot)
            if is_asked:
                indexes = _follower(settings, engine, shard).indexes
                documents += compare_documents(engine, indexes)
    agrees = found.agrees and documents.agrees
    if as_json:
        also = {"elasticsearch": vars(documents)} if is_asked else {}
        print_json({**vars(found), **also, "agrees": agrees})
    else:
        say(*_told(found), *(_told_documents(documents) if is_asked else ()))
    if not agrees:
        raise typer.Exit(EXIT_BROKEN_PROMISE)


@app.command()
def drop() -> None:
    """Delete what Elasticsearch has of the register: nothing erases it there once it is off.

    Stop the indexer first, or set SIRENADE_SEARCH_ENGINE back: it would make the index anew.
    """
    settings = load(SearchSettings)
    if not settings.elasticsearch_url:
        raise UserError("SIRENADE_ELASTICSEARCH_URL is missing: which server?")
    for shard, url in enumerate(settings.shard_urls):
        with _opened(url) as engine:
            _follower(settings, engine, shard).withdraw()
    say("Elasticsearch has nothing of the register any more")


@contextmanager
def _opened(url: str) -> Iterator[Engine]:
    options = {"application_name": "sirenade-search", "statement_timeout_seconds": TIMEOUT_SECONDS}
    with temporary_engine(url, **options) as engine:
        try:
            yield engine
        except ElasticsearchAway as error:
            raise UserError(f"{error}; the index in PostgreSQL does not need it") from None


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
    yield f"{counted(written, 'entry was', 'entries were')} written"


def _follower(settings: SearchSettings, engine: Engine, shard: int) -> Follower:
    return follower_of(settings, engine, shard, Clock(), Metrics(of={"indexer"}))


def _rebuilt_documents(follower: Follower) -> str:
    """Make the index of Elasticsearch anew, beside an indexer that does the same."""
    follower.order_rebuild()
    while follower.is_rebuilt():
        follower.step()
        follower.clock.wait(_BETWEEN_STEPS_SECONDS)
    return "Elasticsearch has a new index"


def _told_documents(found: DocumentDifferences) -> Iterator[str]:
    sign = "=" if found.pages == found.documents else "≠"
    yield (
        f"{thousands(found.pages)} {sign} {thousands(found.documents)}:"
        " pages that may be found, and documents in Elasticsearch"
    )
    if found.waiting:
        yield f"{thousands(found.waiting)} pages have changed and wait for Elasticsearch"
    differences = {
        "missing": "pages without a document",
        "surplus": "documents without a page that may be found",
        "altered": "documents that say something else than the register",
    }
    for name, meaning in differences.items():
        if number := getattr(found, name):
            yield f"{thousands(number)} {meaning}"
    if not found.agrees:
        yield "./sirenade search rebuild makes the index of Elasticsearch anew"


def _told(found: IndexDifferences) -> Iterator[str]:
    sign = "=" if found.pages == found.entries else "≠"
    yield (
        f"{thousands(found.pages)} {sign} {thousands(found.entries)}:"
        " pages that may be found, and entries of the index"
    )
    if found.waiting:
        pages = counted(found.waiting, "page has", "pages have")
        yield f"{pages} changed since the index was last brought up to date"
    differences = {
        "missing": ("page", "pages", "without an entry"),
        "surplus": ("entry", "entries", "without a page that may be found"),
        "altered": ("entry", "entries", "with something else than in the register"),
        "missing_words": ("word", "words", "of entries, missing in the lexicon"),
        "surplus_words": ("word", "words", "without an entry"),
    }
    for name, (one, many, meaning) in differences.items():
        if number := getattr(found, name):
            yield f"{counted(number, one, many)} {meaning}"
    if not found.agrees:
        yield "./sirenade search rebuild mends entries; with --empty, words too"
