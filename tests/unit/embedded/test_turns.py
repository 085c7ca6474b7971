import threading
import time
from collections import Counter

import pytest

from services.embedded.turns import CountingClock, ImportFirst
from shared.messages import FetchPage, WriteSlice


class Work:
    """The work of an import, as the turns see it."""

    def __init__(self) -> None:
        self.in_progress: Counter[str] = Counter()
        self.ready: Counter[str] = Counter()
        self.clock = CountingClock()
        self.turns = ImportFirst(
            lambda actor: self.in_progress[actor],
            lambda queue: self.ready[queue],
            self.clock,
            patience_seconds=0.3,
        )

    def wait_seconds(self) -> float:
        begun = time.monotonic()
        self.turns.give_way()
        return time.monotonic() - begun


@pytest.fixture
def work() -> Work:
    return Work()


def test_a_text_begins_at_once_where_the_import_is_idle(work: Work) -> None:
    assert work.wait_seconds() < 0.1


def test_a_text_waits_for_a_page_and_for_slices(work: Work) -> None:
    work.in_progress[FetchPage.ACTOR] = 1
    assert work.turns.is_busy()
    work.in_progress.clear()
    work.in_progress[WriteSlice.ACTOR] = 1
    assert work.turns.is_busy()
    work.in_progress.clear()
    work.ready[WriteSlice.QUEUE] = 1
    assert work.turns.is_busy()
    threading.Timer(0.1, work.ready.clear).start()
    assert 0.05 < work.wait_seconds() < 0.25


def test_a_fetcher_that_waits_for_its_slot_needs_no_turn(work: Work) -> None:
    work.in_progress[FetchPage.ACTOR] = 1
    waiting = threading.Thread(target=work.clock.wait, args=(10,))
    waiting.start()
    try:
        for _ in range(500):
            if work.clock.waiting:
                break
            time.sleep(0.01)
        assert not work.turns.is_busy()
        work.in_progress[FetchPage.ACTOR] = 2
        assert work.turns.is_busy()
    finally:
        work.clock.stopping.set()
        waiting.join()
    assert work.clock.waiting == 0


def test_a_text_is_not_held_up_for_ever(work: Work) -> None:
    work.ready[WriteSlice.QUEUE] = 1
    assert 0.2 < work.wait_seconds() < 1


def test_a_process_that_stops_waits_for_nothing(work: Work) -> None:
    work.ready[WriteSlice.QUEUE] = 1
    work.clock.stopping.set()
    assert work.wait_seconds() < 0.1
