"""Output of the operator's commands: tables for people, JSON for programs."""

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table
from sqlalchemy import RowMapping

from shared.terminal.cli import print_json, say
from shared.terminal.console import Console, cell


def print_rows(
    rows: Sequence[Mapping[str, object]] | Sequence[RowMapping],
    title: str,
    *,
    as_json: bool,
    empty: str,
) -> None:
    if as_json:
        print_json([dict(row) for row in rows])
    elif not rows:
        say(empty)
    else:
        table = Table(*rows[0].keys(), title=title, title_justify="left")
        for row in rows:
            table.add_row(*(_cell(value) for value in row.values()))
        Console().print(table)


def print_fields(title: str, fields: Mapping[str, object]) -> None:
    """Print one thing, a line for each field that is not None."""
    table = Table("", "", title=title, title_justify="left", show_header=False)
    for name, value in fields.items():
        if value is not None:
            table.add_row(name, _cell(value))
    Console().print(table)


def joined(numbers: Iterable[object]) -> str:
    return ", ".join(str(number) for number in numbers)


def _cell(value: object) -> str:
    return "" if value is None else cell(value)
