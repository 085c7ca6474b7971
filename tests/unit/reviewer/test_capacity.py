from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from services.reviewer.capacity import Capacity
from shared.clock import Clock


def test_who_finds_the_hand_full_waits_until_there_is_room() -> None:
    capacity = Capacity(Clock(), most=2)
    begun = Event()

    def hold() -> None:
        with capacity.holding(3):
            begun.set()

    with ThreadPoolExecutor() as threads, capacity.holding(2) as release_one:
        other = threads.submit(hold)
        assert not begun.wait(0.1)
        release_one()
        other.result(timeout=10)
    assert begun.is_set()


def test_what_is_still_held_at_the_end_is_release_one_once() -> None:
    capacity = Capacity(Clock(), most=5)
    with capacity.holding(5) as release_one:
        release_one()
    release_one()
    with pytest.raises(RuntimeError), capacity.holding(1):
        raise RuntimeError
    assert capacity == Capacity(capacity.clock, most=5)


def test_a_stopping_process_waits_for_no_room() -> None:
    capacity = Capacity(Clock(), most=1)
    capacity.clock.stopping.set()
    with capacity.holding(1), capacity.holding(1):
        pass
