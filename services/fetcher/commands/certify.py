"""`./sirenade certify` and `./sirenade repair`: what is stored against what INSEE lists now."""

import json
from typing import Annotated

import typer
from rich.console import Console

from services.fetcher.certificates.repair import Order, order_repair
from services.fetcher.certificates.view import outcome_as_dict, print_outcome, walk_view
from services.fetcher.commands import desk
from services.fetcher.commands.scope_options import (
    Activites,
    Communes,
    Departements,
    Etat,
    Everything,
    Regions,
    SiretFrom,
    SiretTo,
)
from services.fetcher.commands.scopes import checked_scope
from services.fetcher.settings import FetcherSettings
from services.fetcher.store import ImportStore
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.migrate import require_current
from shared.db.shards import require_one_database
from shared.settings import DatabaseSettings, load
from shared.terminal.cli import EXIT_BROKEN_PROMISE
from shared.terminal.words import thousands

# Neither kept nor broken: INSEE published something else in the middle.
EXIT_VOID = 3

_AsJson = Annotated[bool, typer.Option("--json", help="Print the outcome as one JSON object.")]


def certify(  # noqa: PLR0913  # each an option of the command
    *,
    region: Regions = None,
    departement: Departements = None,
    commune: Communes = None,
    activite: Activites = None,
    etat: Etat = None,
    siret_from: SiretFrom = None,
    siret_to: SiretTo = None,
    everything: Everything = False,
    full: Annotated[
        bool, typer.Option("--full", help="Compare the sirets where the counts agree, too.")
    ] = False,
    as_json: _AsJson = False,
) -> None:
    """Compare what is stored of a scope with what INSEE lists now; needs the API key.

    Counts first; where they differ, or with --full, a walk that lists the sirets that differ.
    Exit status 1 where any differ; 3 where INSEE's data moved meanwhile: run it again then.
    A run that was interrupted certifies nothing, and begins anew.

    Example: ./sirenade certify --departement 33 --full
    """
    scope = checked_scope(
        region=region,
        departement=departement,
        commune=commune,
        activite=activite,
        etat=etat,
        siret_from=siret_from,
        siret_to=siret_to,
        everything=everything,
    )
    clock = Clock()
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    with (
        walk_view(console, clock) as view,
        desk.certifier(
            load(FetcherSettings), clock=clock, say=view.say, show=view.show
        ) as certifier,
    ):
        outcome = certifier.certify(scope, full=full)
    if as_json:
        typer.echo(json.dumps(outcome_as_dict(outcome), default=str))
    else:
        print_outcome(outcome)
    if outcome.status == "void":
        raise typer.Exit(EXIT_VOID)
    if outcome.status == "differ":
        raise typer.Exit(EXIT_BROKEN_PROMISE)


def repair(
    *,
    certificate: Annotated[
        int | None, typer.Option(help="Number of the certificate; without it, the latest.")
    ] = None,
    run: Annotated[
        int | None, typer.Option(help="What the statement of this run misses, or has too much.")
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Ask for an import of just the establishments that differ: the fetcher service does it.

    What INSEE does not list any more, asked by number, stays stored; the next certificate and
    statement say so, and count it no longer as surplus.
    """
    settings = load(DatabaseSettings)
    require_one_database(settings)
    engine = make_engine(
        settings.database_url.get_secret_value(), application_name="sirenade-repair", pool_size=1
    )
    with engine.connect() as connection:
        require_current(connection)
    order = order_repair(engine, certificate_id=certificate, of_run=run)
    per_minute = ImportStore(engine).requests_per_minute()
    engine.dispose()
    typer.echo(
        json.dumps({"run_id": order.run_id, "sirets": order.sirets, "left": order.left})
        if as_json
        else _told(order, per_minute)
    )


def _told(order: Order, per_minute: float | None) -> str:
    if order.run_id is None:
        return f"{order.subject} leaves nothing to repair"
    minutes = f", about {max(order.requests / per_minute, 0.1):.1f} min" if per_minute else ""
    left = (
        f"\n{thousands(order.left)} more differ and were not kept by number: import the scope anew"
        if order.left
        else ""
    )
    return (
        f"run {order.run_id} is requested: {thousands(order.sirets)} establishments, "
        f"{thousands(order.requests)} requests{minutes}; ./sirenade status follows it, "
        f"certify again when it is complete{left}"
    )
