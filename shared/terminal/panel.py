"""The panel of a live view: bars of progress, then lines."""

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table

from shared.terminal.console import Console

MAX_WIDTH = 110


def make_panel(
    title: str, *lines: RenderableType, width: int = MAX_WIDTH, colour: str = "blue"
) -> RenderableType:
    return Panel(Group(*lines), title=title, title_align="left", border_style=colour, width=width)


def panel_width(console: Console, most: int = MAX_WIDTH) -> int:
    """Leave room for the terminal's echo of Ctrl-C, which would shift the panel by a line."""
    return min(console.width - 2, most)


def make_bars(columns: int) -> Table:
    """Make a table for `add_bar`: a name, a bar and this many columns of words."""
    bars = Table.grid(padding=(0, 2), expand=True)
    bars.add_column(no_wrap=True)
    bars.add_column(ratio=1)
    for _ in range(columns):
        bars.add_column(justify="right", no_wrap=True)
    return bars


def add_bar(bars: Table, name: str, done: float, total: float | None, *words: str) -> None:
    bar = ProgressBar(total=float(total or 1), completed=float(done))
    bars.add_row(f"[bold]{name}[/]", bar, *words)
