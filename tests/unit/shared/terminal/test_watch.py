"""The lines of a live view without a terminal, and its panel on one."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from shared.clock import Clock
from shared.terminal.console import Console
from shared.terminal.watch import Lines, watch


@dataclass
class Instants:
    """A clock that moves by each wait, and by nothing else."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    stop_at_seconds: float = 1e9

    def clock(self) -> Clock:
        instants = self

        class Moved(Clock):
            def wait(self, seconds: float) -> bool:
                instants.waits.append(seconds)
                instants.seconds += seconds
                return instants.seconds >= instants.stop_at_seconds

        return Moved(monotonic_seconds=lambda: instants.seconds)


@pytest.fixture
def instants() -> Instants:
    return Instants()


def counter() -> Callable[[], int]:
    numbers: Iterator[int] = iter(range(1000))
    return lambda: next(numbers)


def watched(instants: Instants, **options: object) -> tuple[int, list[str]]:
    shown = io.StringIO()
    defaults: dict[str, object] = {"until": lambda reading: reading == 12}
    last = watch(
        counter(),
        draw=str,
        line="reading {}".format,
        clock=instants.clock(),
        console=Console(file=shown),
        **(defaults | options),  # type: ignore[arg-type]  # each by its name
    )
    return last, shown.getvalue().splitlines()


def test_a_line_comes_every_ten_seconds_and_with_the_last_reading(instants: Instants) -> None:
    assert watched(instants) == (12, ["reading 0", "reading 10", "reading 12"])
    assert instants.waits == [1.0] * 12


def test_a_request_to_stop_ends_the_view_with_a_line(instants: Instants) -> None:
    instants.stop_at_seconds = 3.0
    assert watched(instants) == (2, ["reading 0", "reading 2"])


def test_the_last_reading_is_taken_at_the_end_of_the_time(instants: Instants) -> None:
    last, _ = watched(instants, every_seconds=4.0, ends_seconds=10.0)
    assert (last, instants.waits) == (3, [4.0, 4.0, 2.0])


def test_an_urgent_reading_is_a_line_at_once(instants: Instants) -> None:
    _, lines = watched(instants, is_urgent=lambda reading: reading == 5)
    assert lines == ["reading 0", "reading 5", "reading 12"]


def test_a_program_is_given_each_reading_once(instants: Instants) -> None:
    instants.stop_at_seconds = 3.0
    written: list[int] = []
    assert watched(instants, write=written.append) == (2, [])
    assert written == [0, 1, 2]


def test_a_terminal_shows_the_last_reading() -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True)
    watch(lambda: 7, str, str, lambda _: True, clock=Clock(), console=console)
    assert "7" in shown.getvalue()


def test_a_line_is_no_markup(instants: Instants) -> None:
    shown = io.StringIO()
    Lines(Console(file=shown), instants.clock()).say("siret:[9 TO *] [/bold]")
    assert shown.getvalue() == "siret:[9 TO *] [/bold]\n"
