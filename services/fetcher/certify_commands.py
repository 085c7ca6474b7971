"""`./sirenade certify` and `./sirenade repair`: what is stored against what INSEE lists now."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from services.fetcher import main
from services.fetcher.certificates import Outcome, as_dict
from services.fetcher.certifying import Walk
from services.fetcher.comparing import MOST_SIRETS_KEPT, Finding
from services.fetcher.repairing import Order, order_repair
from services.fetcher.scopes import checked_scope
from services.fetcher.settings import FetcherSettings
from services.fetcher.store import ImportStore
from shared.cli import EXIT_BROKEN_PROMISE
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.migrate import require_current
from shared.progress import Rate
from shared.progress_view import thousands
from shared.settings import DatabaseSettings, load

# Neither kept nor broken: INSEE published something else in the middle.
EXIT_VOID = 3
_LINE_EVERY_SECONDS = 30.0
_SIRETS_PRINTED = 20

_AsJson = Annotated[bool, typer.Option("--json", help="Print the outcome as one JSON object.")]


def certify(  # noqa: PLR0913  # each an option of the command
    *,
    region: Annotated[
        list[str] | None, typer.Option(help="Code or name of a region: 53, Bretagne. Repeatable.")
    ] = None,
    departement: Annotated[
        list[str] | None, typer.Option(help="Code of a département: 33, 2A, 974. Repeatable.")
    ] = None,
    commune: Annotated[
        list[str] | None, typer.Option(help="INSEE code of a commune: 33063. Repeatable.")
    ] = None,
    activite: Annotated[
        list[str] | None, typer.Option(help="Current activity, a NAF code: 47.11D. Repeatable.")
    ] = None,
    etat: Annotated[
        str | None, typer.Option(help="Current state: A for open, F for closed.")
    ] = None,
    siret_from: Annotated[
        str | None, typer.Option(help="From this SIRET on, itself included.")
    ] = None,
    siret_to: Annotated[str | None, typer.Option(help="Up to this SIRET, itself included.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="The whole register, where no place is named.")
    ] = False,
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
        region=region or (),
        departement=departement or (),
        commune=commune or (),
        activite=activite or (),
        etat=etat,
        siret_from=siret_from,
        siret_to=siret_to,
        everything=everything,
    )
    clock = Clock()
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    with (
        _walk_view(console, clock) as view,
        main.certifier(
            load(FetcherSettings), clock=clock, say=view.say, show=view.show
        ) as certifier,
    ):
        outcome = certifier.certify(scope, full=full)
    if as_json:
        typer.echo(json.dumps(_as_json(outcome), default=str))
    else:
        _print(outcome)
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


@dataclass
class _WalkView:
    """A bar where somebody watches, a line now and then where nobody does."""

    console: Console
    progress: Progress
    clock: Clock
    _rate: Rate = field(default_factory=Rate)
    _said_seconds: float = 0.0

    def say(self, line: str) -> None:
        self.console.print(line)

    def show(self, walk: Walk) -> None:
        now_seconds = self.clock.monotonic_seconds()
        self._rate.add(now_seconds, walk.listed)
        if self.console.is_terminal:
            if not self.progress.tasks:
                self.progress.add_task("sirets", total=walk.expected)
            self.progress.update(
                self.progress.task_ids[0],
                completed=walk.listed,
                rate=f"{thousands(round(self._rate.per_second))}/s",
            )
        elif now_seconds - self._said_seconds > _LINE_EVERY_SECONDS:
            eta_seconds = self._rate.eta_seconds(walk.expected - walk.listed)
            eta = "?" if eta_seconds is None else f"{eta_seconds / 60:.1f} min"
            self.say(
                f"{thousands(walk.listed)} of {thousands(walk.expected)} sirets compared, "
                f"{thousands(round(self._rate.per_second))}/s, ETA {eta}"
            )
            self._said_seconds = now_seconds


@contextmanager
def _walk_view(console: Console, clock: Clock) -> Iterator[_WalkView]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield _WalkView(console, progress, clock)


def _as_json(outcome: Outcome) -> dict[str, object]:
    findings = outcome.findings
    return {
        "certificate": outcome.id,
        "status": outcome.status,
        "reason": outcome.reason,
        "informations_before": outcome.informations_before,
        "informations_after": outcome.informations_after,
        "requests": outcome.requests,
        "expected": sum(each.expected for each in findings),
        "stored": sum(each.stored for each in findings),
        "missing": sum(each.missing.count for each in findings),
        "surplus": sum(each.surplus.count for each in findings),
        "windows": [as_dict(each) for each in findings],
        "missing_sirets": [siret for each in findings for siret in each.missing.kept],
        "surplus_sirets": [siret for each in findings for siret in each.surplus.kept],
        "gone_sirets": [siret for each in findings for siret in each.gone],
        "failed_items": outcome.failed_items,
    }


def _print(outcome: Outcome) -> None:
    findings = outcome.findings
    if len(findings) > 1:
        _print_windows(outcome)
    for name in ("missing", "surplus"):
        kept = [siret for each in findings for siret in getattr(each, name).kept]
        for siret in kept[:_SIRETS_PRINTED]:
            typer.echo(f"{name} {siret}")
        if len(kept) > _SIRETS_PRINTED:
            typer.echo(f"… {thousands(len(kept) - _SIRETS_PRINTED)} more {name}: --json lists them")
    for line in _verdict(outcome):
        typer.echo(line)


def _print_windows(outcome: Outcome) -> None:
    rows = [as_dict(each) for each in outcome.findings]
    table = Table(*rows[0], title=f"certificate {outcome.id}", title_justify="left")
    for row in rows:
        table.add_row(
            *(
                thousands(value) if isinstance(value, int) else str(value or "")
                for value in row.values()
            )
        )
    Console().print(table)


def _verdict(outcome: Outcome) -> Iterator[str]:
    if outcome.status == "void":
        yield f"void: {outcome.reason}"
        return
    findings = outcome.findings
    expected, stored, missing, surplus, gone = (
        sum(numbers) for numbers in zip(*map(_numbers, findings), strict=True)
    )
    if gone:
        yield (
            f"{thousands(gone)} stored are gone from INSEE: asked for by number, it does not list "
            "them any more; they stay stored, and are no surplus"
        )
    if outcome.failed_items:
        yield (
            f"{thousands(outcome.failed_items)} of the missing are open failed items: "
            "./sirenade failed list says why"
        )
    if outcome.status == "counts_agree":
        yield (
            f"counts agree: {thousands(expected)} = {thousands(stored - gone)} (counts only; "
            "--full compares the sirets)"
        )
    elif outcome.status == "agree":
        yield f"agrees: {thousands(expected)} listed by INSEE, all stored, nothing else stored"
    else:
        yield (
            f"differs: {thousands(expected)} listed by INSEE, {thousands(stored)} stored, "
            f"{thousands(missing)} missing, {thousands(surplus)} surplus; "
            f"./sirenade repair --certificate {outcome.id} fetches just these"
        )
        if max(missing, surplus) > MOST_SIRETS_KEPT:
            yield f"of each window and side only the first {thousands(MOST_SIRETS_KEPT)} are kept"


def _numbers(finding: Finding) -> tuple[int, int, int, int, int]:
    gone = len(finding.gone) if finding.is_walked else finding.gone_counted
    return finding.expected, finding.stored, finding.missing.count, finding.surplus.count, gone
