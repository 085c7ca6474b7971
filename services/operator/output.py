"""Output of the operator's commands: tables for people, JSON for programs."""

from collections.abc import Iterable, Mapping, Sequence

from rich.measure import Measurement
from rich.table import Column, Table
from sqlalchemy import RowMapping

from shared.terminal.cli import print_json, say
from shared.terminal.console import Console, cell

# More columns than any row takes.
_UNBOUNDED = 1_000_000


def print_rows(
    rows: Sequence[Mapping[str, object]] | Sequence[RowMapping],
    title: str,
    *,
    as_json: bool,
    empty: str,
) -> None:
    """Print a table that cuts no value: the next command may need it.

    A pipe gets lines as long as they are; a terminal that is too narrow gets a line for each field.
    """
    if as_json:
        print_json([dict(row) for row in rows])
    elif not rows:
        say(empty)
    else:
        table = Table(*rows[0].keys(), title=title, title_justify="left")
        for row in rows:
            table.add_row(*(_cell(value) for value in row.values()))
        console = Console()
        options = console.options.update(max_width=_UNBOUNDED)
        wanted = Measurement.get(console, options, table).maximum
        if not console.is_terminal:
            console.width = max(console.width, wanted)
        if wanted <= console.width:
            console.print(table)
            return
        say(title)
        for row in rows:
            print_fields("", dict(row))


def print_fields(title: str, fields: Mapping[str, object]) -> None:
    """Print one thing, a line for each field that is not None."""
    value_column = Column("", overflow="fold")
    table = Table("", value_column, title=title, title_justify="left", show_header=False)
    for name, value in fields.items():
        if value is not None:
            table.add_row(name, _cell(value))
    Console().print(table)


def joined(numbers: Iterable[object]) -> str:
    return ", ".join(str(number) for number in numbers)


def _cell(value: object) -> str:
    return "" if value is None else cell(value)
