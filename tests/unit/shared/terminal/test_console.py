"""The console lets colours of its own through, and nothing of a value that steers a terminal."""

import io

import pytest
from rich.panel import Panel
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from shared.terminal.console import Console

_NAME = "A\x1b]0;TITRE\x07\x9b31m\u202eB\u2066C\x7f"
_LEFT = "A]0;TITRE31mBC"


@pytest.mark.parametrize("made", [_NAME, Text(_NAME), Panel(_NAME, title=Text(_NAME))])
def test_no_renderable_steers_the_terminal(made: str | Text | Panel) -> None:
    shown = io.StringIO()
    Console(file=shown, width=60).print(made, markup=False)
    assert _LEFT in shown.getvalue()
    assert all(sign.isprintable() or sign == "\n" for sign in shown.getvalue())


def test_a_cell_keeps_the_lines_of_its_table() -> None:
    table = Table("nom", "commune")
    table.add_row(_NAME, "LILLE")
    table.add_row("B" * len(_LEFT), "LYON")
    shown = io.StringIO()
    Console(file=shown, width=60).print(table)
    lines = shown.getvalue().splitlines()
    assert len({len(line) for line in lines if line}) == 1
    assert _LEFT in shown.getvalue()


def test_colours_and_bars_of_the_console_stay() -> None:
    shown = io.StringIO()
    console = Console(file=shown, width=60, force_terminal=True)
    console.print(Text(_NAME, style="red"))
    assert "\x1b[31m" in shown.getvalue()
    with Progress(console=console) as progress:
        progress.add_task("work", total=2)
    assert "\x1b[?25l" in shown.getvalue()
    assert "\x07" not in shown.getvalue()
