"""The view of a certificate: its walk while it goes on, its findings at the end."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from services.fetcher.certificates.comparison import MOST_SIRETS_KEPT
from services.fetcher.certificates.store import Outcome, as_dict
from services.fetcher.plan.costs import requests_of
from services.fetcher.plan.page_end import MAX_ROWS_PER_PAGE
from shared.clock import Clock
from shared.imports.pace import Rate
from shared.imports.scope import SIRETS_PER_WINDOW
from shared.terminal.cli import say
from shared.terminal.console import Console, cell
from shared.terminal.watch import Lines
from shared.terminal.words import thousands

_LINE_EVERY_SECONDS = 30.0
_SIRETS_PRINTED = 20


@dataclass
class WalkView:
    """Shows a bar on a terminal, a line now and then elsewhere."""

    progress: Progress
    lines: Lines
    _rate: Rate = field(default_factory=Rate)

    def say(self, line: str) -> None:
        # The walk's own lines begin later: its first page has nothing to tell.
        self.lines.show(line, at_once=True)

    def show(self, listed: int, expected: int) -> None:
        self._rate.add(self.lines.clock.monotonic_seconds(), listed)
        per_second = f"{thousands(round(self._rate.per_second))}/s"
        if self.lines.console.is_terminal:
            if not self.progress.tasks:
                self.progress.add_task("sirets", total=expected, rate="")
            self.progress.update(self.progress.task_ids[0], completed=listed, rate=per_second)
            return
        eta_seconds = self._rate.eta_seconds(expected - listed)
        eta = "?" if eta_seconds is None else f"{eta_seconds / 60:.1f} min"
        self.lines.show(
            f"{thousands(listed)} of {thousands(expected)} sirets compared, {per_second}, ETA {eta}"
        )


@contextmanager
def walk_view(console: Console, clock: Clock) -> Iterator[WalkView]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield WalkView(progress, Lines(console, clock, _LINE_EVERY_SECONDS))


def print_outcome(outcome: Outcome) -> None:
    if len(outcome.findings) > 1:
        _print_windows(outcome)
    altered = outcome.altered
    sides = [("missing", outcome.missing.kept), ("surplus", outcome.surplus.kept)]
    if altered is not None:
        sides.append(("altered", altered.kept))
    for name, kept in sides:
        for siret in kept[:_SIRETS_PRINTED]:
            say(f"{name} {siret}")
        if len(kept) > _SIRETS_PRINTED:
            say(f"… {thousands(len(kept) - _SIRETS_PRINTED)} more {name}: --json lists them")
    if altered is not None and altered.count:
        _print_columns(outcome)
    for line in _verdict(outcome):
        say(line)


def _print_columns(outcome: Outcome) -> None:
    """Print no values: they may be a person's."""
    table = Table("column", "rows that differ")
    for column, rows in outcome.altered_columns.items():
        table.add_row(column, thousands(rows))
    Console().print(table)


def _print_windows(outcome: Outcome) -> None:
    rows = [as_dict(each) for each in outcome.findings]
    for row in rows:
        # The query names the place already.
        del row["departement"], row["commune"]
    table = Table(*rows[0], title=f"certificate {outcome.id}", title_justify="left")
    for row in rows:
        cells = (thousands(v) if isinstance(v, int) else cell(v or "") for v in row.values())
        table.add_row(*cells)
    Console().print(table)


def _verdict(outcome: Outcome) -> Iterator[str]:
    if outcome.status == "void":
        yield f"void: {outcome.reason}"
        return
    expected, stored = outcome.expected, outcome.stored
    gone = sum(each.gone_stored for each in outcome.findings)
    missing, surplus = outcome.missing.count, outcome.surplus.count
    if gone:
        yield (
            f"{thousands(gone)} stored are gone from INSEE: asked by number, it no longer lists "
            "them; they stay stored, and are no surplus"
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
        also = "" if outcome.altered is None else ", contents equal in every column"
        yield (
            f"agrees: {thousands(expected)} listed by INSEE, all stored, nothing else stored{also}"
        )
    else:
        altered = 0 if outcome.altered is None else outcome.altered.count
        also = "" if outcome.altered is None else f", {thousands(altered)} altered"
        yield (
            f"differs: {thousands(expected)} listed by INSEE, {thousands(stored)} stored, "
            f"{thousands(missing)} missing, {thousands(surplus)} surplus{also}"
        )
        yield _advice(outcome.id, missing + surplus, altered, expected)
        if max(missing, surplus, altered) > MOST_SIRETS_KEPT:
            yield f"only the first {thousands(MOST_SIRETS_KEPT)} of each window and side are kept"


def _advice(certificate: int, differing: int, altered: int, expected: int) -> str:
    """Name the cheaper repair: a list of sirets fills a page to a tenth only, a scope wholly.

    No import writes rows that were altered here.
    """
    repair = math.ceil((differing + altered) / SIRETS_PER_WINDOW)
    anew = requests_of(expected, MAX_ROWS_PER_PAGE)
    if repair > anew and not altered:
        return (
            f"./sirenade import of the same scope costs less ({thousands(anew)} requests) than a "
            f"repair ({thousands(repair)})"
        )
    return (
        f"./sirenade repair --certificate {certificate} fetches just these, "
        f"in {thousands(repair)} requests"
    )
