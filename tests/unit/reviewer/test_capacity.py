from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from services.reviewer.capacity import Capacity
from shared.clock import Clock


def test_who_finds_the_hand_full_waits_until_there_is_room() -> None:
    hand = Capacity(Clock(), most=2)
    begun = Event()

    def hold() -> None:
        with hand.holding(3):
            begun.set()

    with ThreadPoolExecutor() as threads, hand.holding(2) as put_down:
        other = threads.submit(hold)
        assert not begun.wait(0.1)
        put_down()
        other.result(timeout=10)
    assert begun.is_set()


def test_what_is_still_held_at_the_end_is_put_down_once() -> None:
    hand = Capacity(Clock(), most=5)
    with hand.holding(5) as put_down:
        put_down()
    put_down()
    with pytest.raises(RuntimeError), hand.holding(1):
        raise RuntimeError
    assert hand == Capacity(hand.clock, most=5)


def test_a_stopping_process_waits_for_no_room() -> None:
    hand = Capacity(Clock(), most=1)
    hand.clock.stopping.set()
    with hand.holding(1), hand.holding(1):
        pass
