"""`./sirenade certify` and `./sirenade repair`."""

from collections.abc import Iterator
from typing import Annotated

import typer
from typer import Option

from services.fetcher.certificates.certifier import Certifier
from services.fetcher.certificates.store import CertificateStore
from services.fetcher.certificates.stored_rows import StoredRows
from services.fetcher.certificates.view import print_outcome, walk_view
from services.fetcher.commands.desk import open_desk
from services.fetcher.commands.options import ScopeOptions, with_scope_options
from services.fetcher.commands.scopes import checked_scope
from services.fetcher.plan.deltas import DeltaOrder
from services.fetcher.settings import FetcherSettings
from services.fetcher.store import ImportStore
from shared.clock import Clock
from shared.db.revision import current_engine
from shared.db.shards import require_one_database
from shared.imports.held import in_words
from shared.imports.repairs import RepairOrder, order_repair
from shared.settings import DatabaseSettings, load
from shared.terminal.cli import EXIT_BROKEN_PROMISE, AsJson, print_json, print_result
from shared.terminal.console import Console
from shared.terminal.words import thousands

# The certificate proves nothing: INSEE published other data meanwhile.
EXIT_VOID = 3


@with_scope_options
def certify(
    named: ScopeOptions,
    *,
    full: Annotated[
        bool, Option("--full", help="Compare the sirets even where the counts agree.")
    ] = False,
    content: Annotated[
        bool,
        Option("--content", help="Compare every column, period and page, too; implies --full."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the stored rows of a scope with INSEE's present list; needs the API key.

    With no scope named, it is what this database has been asked to hold; --all
    is the whole register.

    It compares counts first. Where they differ, or with --full, it walks the
    scope and lists the sirets that differ. With --content it asks for whole
    records and names those whose rows, periods or page say something else, with
    the number of rows by column; never their values. Rows that are rightly
    different (masked, forgotten, newer here) are no difference. Do it after the
    delta: what INSEE changed since counts.

    Exit status 1 where any differ; 3 where INSEE's data moved meanwhile: run it
    again then. An interrupted run certifies nothing, and begins anew.

    Example: ./sirenade certify --departement 33 --full
    """
    scope = checked_scope(named) if any(vars(named).values()) else None
    settings, clock = load(FetcherSettings), Clock()
    require_one_database(settings)
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    with walk_view(console, clock) as view, open_desk(settings, clock) as desk:
        certifier = Certifier(
            store=CertificateStore(desk.engine),
            rows=StoredRows(desk.engine),
            inquirer=desk.inquirer,
            rows_per_page=desk.rows_per_page,
            per_minute=desk.per_minute,
            say=view.say,
            show=view.show,
        )
        scopes = ImportStore(desk.engine).read_scopes(DeltaOrder()) if scope is None else [scope]
        if scope is None:
            view.say(f"scope: {in_words(scopes)}, as imported here")
        outcome = certifier.certify(
            scopes, "contents" if content else "sirets" if full else "counts"
        )
    if as_json:
        print_json(outcome.as_dict())
    else:
        print_outcome(outcome)
    if outcome.status == "void":
        raise typer.Exit(EXIT_VOID)
    if outcome.status == "differ":
        raise typer.Exit(EXIT_BROKEN_PROMISE)


def repair(
    *,
    certificate: Annotated[
        int | None, Option(help="Number of the certificate; by default the latest.")
    ] = None,
    run: Annotated[
        int | None, Option(help="Repair the differences in the statement of this run.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch the establishments that differ anew; the fetcher service carries it out.

    What a certificate found is stored as INSEE shows it now, whatever stands, as
    `refresh` does. An establishment that INSEE does not list any more, asked by number, stays
    stored; the next certificate and statement say so, and count it no longer
    as surplus.
    """
    settings = load(DatabaseSettings)
    require_one_database(settings)
    with current_engine(
        settings.database_url.get_secret_value(), application_name="sirenade-repair"
    ) as engine:
        with engine.begin() as connection:
            order = order_repair(connection, certificate_id=certificate, of_run=run)
        per_minute = ImportStore(engine).requests_per_minute()
    told = {"run_id": order.run_id, "sirets": order.sirets, "left": order.left}
    print_result(told, *_sentences(order, per_minute), as_json=as_json)


def _sentences(order: RepairOrder, per_minute: float | None) -> Iterator[str]:
    if order.run_id is None:
        yield f"{order.subject} leaves nothing to repair"
        return
    minutes = f", about {max(order.requests / per_minute, 0.1):.1f} min" if per_minute else ""
    yield (
        f"run {order.run_id} is ordered: {thousands(order.sirets)} establishments, "
        f"{thousands(order.requests)} requests{minutes}; ./sirenade status follows it, "
        "certify again when it is complete"
    )
    if order.left:
        yield (
            f"{thousands(order.left)} more differ and were not kept by number: certify and repair "
            "again, or import the scope anew where they are only missing"
        )
