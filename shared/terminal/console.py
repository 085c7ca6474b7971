"""The console of all commands."""

from collections.abc import Iterable

from rich.console import Console as RichConsole  # noqa: TID251  # the one place
from rich.console import ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment

from shared.controls import shown, without_steering


class Console(RichConsole):
    """A console through which no value steers the terminal; colours are the console's own.

    It cannot tell ends of lines in a value from those of the command: `shared.controls.shown` does.
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            plain = segment.text if segment.control else without_steering(segment.text)
            yield segment if plain == segment.text else Segment(plain, segment.style)


def cell(value: object) -> str:
    """Write a value for a cell of a table: on one line, and no markup."""
    return escape(shown(value))
