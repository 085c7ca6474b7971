"""The common parts of the commands of `prove`: a folder, a view of the run, the verdict."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import typer
from rich.table import Table

from shared.clock import Clock
from shared.errors import UserError
from shared.imports.progress import Progress
from shared.terminal.cli import EXIT_BROKEN_PROMISE
from shared.terminal.console import Console
from shared.terminal.panel import panel_width
from shared.terminal.progress_view import ProgressView, one_line
from shared.terminal.watch import watch
from tests.proofs.page import Proof, write
from tests.proofs.promises import Promise
from tests.proofs.samples import Sample, Sampler
from tests.proofs.stack import Stack

_WIDTH = 100
_LINE_EVERY_SECONDS = 30.0


def fresh(folder: Path) -> Path:
    folder = folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def follow(
    stack: Stack,
    title: str,
    console: Console,
    *,
    until: Callable[[Progress], bool],
    meanwhile: Callable[[], None] = lambda: None,
    every_seconds: float = 1.0,
    logs: Path | None = None,
) -> Sequence[Sample]:
    """Sample the run to its end and show it; `meanwhile` is called after each sample.

    `logs` is the folder whose size counts, by default that of the output. Raises UserError where a
    service ends.
    """
    sampler = Sampler(stack, logs or stack.logs)
    view = ProgressView(title, width=panel_width(console, _WIDTH))

    def read() -> Progress:
        progress = sampler.take()
        for name, process in stack.services.items():
            if process.poll() is not None:
                raise UserError(f"{name} has ended: see {stack.logs / name}.log")
        meanwhile()
        return progress

    watch(
        read,
        view.draw,
        one_line,
        until,
        clock=Clock(),
        console=console,
        every_seconds=every_seconds,
        line_every_seconds=_LINE_EVERY_SECONDS,
    )
    return sampler.samples


def tell(proof: Proof, folder: Path, console: Console) -> None:
    """Write the page and print the promises; status 1 where one is broken."""
    page = write(proof, folder)
    console.print(f"page: {os.path.relpath(page)}", soft_wrap=True)
    tell_promises(proof.promises, console)


def tell_promises(promises: Sequence[Promise], console: Console) -> None:
    table = Table(title="Promised, measured", title_justify="left")
    table.add_column("")
    table.add_column("promised", justify="right")
    table.add_column("measured", justify="right")
    table.add_column("")
    for each in promises:
        mark = "[green]kept[/]" if each.kept else "[bold red]broken[/]"
        table.add_row(each.name, each.promised, each.measured, mark)
    Console().print(table)
    broken_ones = [each for each in promises if not each.kept]
    for broken in broken_ones:
        console.print(
            f"[bold red]broken:[/] {broken.name}: promised {broken.promised}, "
            f"measured {broken.measured}",
            soft_wrap=True,
        )
    if broken_ones:
        raise typer.Exit(EXIT_BROKEN_PROMISE)


def lasted(seconds: float) -> str:
    """Write 7 min 03 s, or 1 h 01 min 03 s."""
    hours, rest = divmod(round(seconds), 3600)
    minutes = f"{rest // 60} min {rest % 60:02d} s"
    return f"{hours} h {minutes}" if hours else minutes


def is_over(progress: Progress) -> bool:
    return progress.received > 0 and progress.is_idle
