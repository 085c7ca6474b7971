"""`make bench`, `make bench-table`, `make bench-compare`."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.local.folders import PROJECT
from shared.errors import UserError
from shared.terminal.cli import make_app
from shared.terminal.cli import run as run_cli
from tests.benchmarks import catalogue, sizes, tables
from tests.benchmarks.figures import FOLDER, Run, kept

app = make_app("Speed and memory as ratios to the machine's own limits.")
_COLUMNS = 120


@app.command()
def run(
    *,
    only: Annotated[str, typer.Option(help="Benchmarks by name, separated by spaces.")] = "",
    size: Annotated[str, typer.Option(help="quick, normal or full.")] = "normal",
) -> None:
    """Run benchmarks one after the other, and end with a table."""
    if size not in sizes.SIZES:
        raise UserError(f"--size is {', '.join(sizes.SIZES)}, not {size!r}")
    try:
        chosen = catalogue.named(only.replace(",", " ").split())
    except ValueError as error:
        raise UserError(str(error)) from None
    command = [sys.executable, "-m", "pytest", "-s", "--slow", *(each.path for each in chosen)]
    environment = {**os.environ, sizes.VARIABLE: size}
    # pytest has the last word on a Ctrl-C: it keeps what was measured until then.
    process = subprocess.Popen([*command, "--keep-figures"], cwd=PROJECT, env=environment)
    while True:
        try:
            sys.exit(process.wait())
        except KeyboardInterrupt:
            continue


@app.command()
def table(
    *,
    of: Annotated[str, typer.Option(help="A run's file; the latest unless told.")] = "",
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, as docs/benchmarks.md has it.")
    ] = False,
    goals: Annotated[bool, typer.Option("--goals", help="Only what has a goal.")] = False,
) -> None:
    """Show a run again."""
    run = _load(_path(of, latest=1))
    _show(tables.of_run(run, only_judged=goals), markdown=markdown)


@app.command()
def compare(
    *,
    a: Annotated[str, typer.Option("--a", help="A run's file; the last but one.")] = "",
    b: Annotated[str, typer.Option("--b", help="A run's file; the latest.")] = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="For a merge request.")] = False,
) -> None:
    """Show two runs side by side."""
    first, second = _path(a, latest=2), _path(b, latest=1)
    _show(tables.of_two(_load(first), _load(second)), markdown=markdown)


def _path(told: str, *, latest: int) -> Path:
    if told:
        path = Path(told)
        return path if path.exists() else FOLDER / path.with_suffix(".json").name
    runs = kept()
    if len(runs) < latest:
        raise UserError(f"{latest} run(s) needed in {FOLDER}, {len(runs)} there: make bench")
    return runs[-latest]


def _load(path: Path) -> Run:
    try:
        return Run.load(path)
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path} is no run of the benchmarks") from None


def _show(sheet: tables.Sheet, *, markdown: bool) -> None:
    console = Console(width=None if sys.stdout.isatty() else _COLUMNS)
    if markdown:
        sys.stdout.write(sheet.as_markdown() + "\n")
    else:
        console.print(sheet.as_text())


if __name__ == "__main__":
    run_cli(app, name="bench")
