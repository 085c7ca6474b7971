"""The lines of a walk where no terminal shows its bar."""

import io

from services.fetcher.certificates.view import walk_view
from shared.clock import Clock
from shared.terminal.console import Console


def test_the_lines_of_a_walk_begin_half_a_minute_after_it_is_announced() -> None:
    shown, now_seconds = io.StringIO(), 0.0
    clock = Clock(monotonic_seconds=lambda: now_seconds)
    with walk_view(Console(file=shown, width=100), clock) as view:
        view.say("counts: 40 requests")
        now_seconds = 80.0
        view.say("the walk: 9 requests")
        for at_seconds, listed in ((81.0, 1000), (109.0, 2000), (111.0, 3000), (130.0, 4000)):
            now_seconds = at_seconds
            view.show(listed, 9000)
    counts, walk, line = shown.getvalue().replace("\N{NO-BREAK SPACE}", " ").splitlines()
    assert (counts, walk) == ("counts: 40 requests", "the walk: 9 requests")
    assert line.startswith("3 000 of 9 000 sirets compared, ")
