"""`./sirenade logs`: log events for people, from standard input or files."""

import heapq
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from services.operator.logs_view import LEVELS, Filter, drawn
from shared.errors import UserError
from shared.inputs import bounded_lines, read_lines
from shared.logs.files import closed_files
from shared.settings import LogSettings, load
from shared.terminal.console import Console


def logs(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Log files, .gz too; - is standard input.")
    ] = None,
    level: Annotated[str, typer.Option(help=f"The lowest level: {', '.join(LEVELS)}.")] = "debug",
    service: Annotated[
        list[str] | None, typer.Option(help="Show this service only; may come several times.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(help="Show events with NAME=VALUE only, like run_id=7 or batch_id=12."),
    ] = None,
) -> None:
    """Print log lines for people, times in France.

    Without files it reads standard input (docker compose logs | ./sirenade logs), and at a
    terminal the files in SIRENADE_LOG_DIRECTORY.
    """
    if level.lower() not in LEVELS:
        raise UserError(f"--level {level} is none of {', '.join(LEVELS)}")
    wanted = Filter(level.lower(), frozenset(service or ()), dict(map(_field, where or ())))
    console = Console(soft_wrap=True, highlight=False)
    for line in drawn(_lines(files), wanted):
        console.print(line)


def _field(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UserError(f"--where {text} is not NAME=VALUE, like run_id=7")
    return name, value


def _lines(files: list[Path] | None) -> Iterator[str]:
    if not files and not sys.stdin.isatty():
        return bounded_lines(sys.stdin, "the standard input")
    # Services write at the same time. Each file is in order, and the merge keeps the order.
    sources = [read_lines(path, errors="replace") for path in files or _own_files()]
    return heapq.merge(*sources, key=_timestamp) if len(sources) > 1 else sources[0]


def _timestamp(line: str) -> str:
    """Return the event's time as text; its one spelling sorts as time does."""
    return line.partition('"timestamp":"')[2][:32]


def _own_files() -> list[Path]:
    directory = load(LogSettings).log_directory
    if directory is None:
        raise UserError("name the files, or set SIRENADE_LOG_DIRECTORY")
    if not directory.is_dir():
        raise UserError(f"there is no folder {directory}")
    active = [path for path in directory.glob("*.jsonl") if path.name.count(".") == 1]
    found = [path for _, path in closed_files(directory)] + active
    if not found:
        raise UserError(f"no log files in {directory}")
    return found
