"""`./sirenade logs`: events for people, from standard input or from files."""

import gzip
import heapq
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.operator.connections import log_directory
from services.operator.logs_view import LEVELS, Filter, shown
from shared.errors import UserError
from shared.logs.files import closed_files


def logs(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Log files, .gz too; - is standard input.")
    ] = None,
    level: Annotated[str, typer.Option(help=f"The least: {', '.join(LEVELS)}.")] = "debug",
    service: Annotated[
        list[str] | None, typer.Option(help="Only this service; may come several times.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE that an event must have, like run_id=7 or batch_id=12."),
    ] = None,
) -> None:
    """Print log lines for people, times in France.

    Without files: what comes on standard input (docker compose logs | ./sirenade logs), at a
    terminal the files in SIRENADE_LOG_DIRECTORY.
    """
    if level.lower() not in LEVELS:
        raise UserError(f"--level {level} is none of {', '.join(LEVELS)}")
    wanted = Filter(level.lower(), frozenset(service or ()), dict(map(_field, where or ())))
    console = Console(soft_wrap=True, highlight=False)
    with ExitStack() as opened:
        for line in shown(_lines(files, opened), wanted):
            console.print(line)


def _field(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UserError(f"--where {text}: say NAME=VALUE, like run_id=7")
    return name, value


def _lines(files: list[Path] | None, opened: ExitStack) -> Iterator[str]:
    if not files and not sys.stdin.isatty():
        return iter(sys.stdin)
    # Services write at the same time: each file is in order, and so they are together.
    sources = [_open(path, opened) for path in files or _own_files()]
    return heapq.merge(*sources, key=_place) if len(sources) > 1 else iter(sources[0])


def _place(line: str) -> str:
    """Events have their instants in one spelling, which sorts as time does."""
    return line.partition('"timestamp":"')[2][:32]


def _own_files() -> list[Path]:
    directory = log_directory()
    active = [path for path in directory.glob("*.jsonl") if path.name.count(".") == 1]
    found = [path for _, path in closed_files(directory)] + active
    if not found:
        raise UserError(f"no log files in {directory}")
    return found


def _open(path: Path, opened: ExitStack) -> Iterator[str]:
    if str(path) == "-":
        return iter(sys.stdin)
    if path.suffix == ".gz":
        return opened.enter_context(gzip.open(path, "rt", encoding="utf-8", errors="replace"))
    return opened.enter_context(path.open(encoding="utf-8", errors="replace"))
