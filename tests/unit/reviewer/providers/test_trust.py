import datetime as dt

from services.reviewer.providers.circuit_breaker import State
from services.reviewer.providers.trust import Trust

START = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)


def at(seconds: float) -> dt.datetime:
    return START + dt.timedelta(seconds=seconds)


def refused(trust: Trust, times: int, seconds: float = 0) -> Trust:
    for _ in range(times):
        trust = trust.judged(at(seconds), accepted=False)
    return trust


def test_twenty_refusals_in_a_row_are_a_doubt_and_one_acceptance_ends_the_row() -> None:
    trust = refused(Trust(), 19).judged(START, accepted=True)
    assert refused(trust, 19).state is State.CLOSED
    doubted = refused(trust, 20)
    assert doubted.state is State.OPEN
    assert doubted.left_seconds(at(100)) == 200


def test_texts_on_their_way_when_the_doubt_began_make_it_no_longer() -> None:
    trust = refused(Trust(), 220)
    assert trust.doubts == 1
    assert trust.left_seconds(at(300)) == 0


def test_one_that_was_on_its_way_and_is_accepted_ends_the_doubt() -> None:
    assert refused(Trust(), 22).judged(START, accepted=True) == Trust()


def test_one_text_finds_out_and_each_refused_one_doubles_the_time_up_to_an_hour() -> None:
    trust, seconds = refused(Trust(), 20), 0.0
    waits = []
    for _ in range(6):
        seconds += trust.left_seconds(at(seconds))
        trust = trust.tried(at(seconds))
        assert trust.state is State.PROBING
        assert trust.tried(at(seconds)) == trust, "only one finds out"
        assert trust.left_seconds(at(seconds)) > 0
        trust = refused(trust, 1, seconds)
        waits.append(trust.left_seconds(at(seconds)))
    assert waits == [600, 1200, 2400, 3600, 3600, 3600]
    seconds += 3600
    trust = trust.tried(at(seconds)).judged(at(seconds), accepted=True)
    assert trust == Trust(), "trust begins anew"


def test_a_text_that_never_comes_back_leaves_another_one_its_turn() -> None:
    trust = refused(Trust(), 20).tried(at(300))
    assert trust.left_seconds(at(419)) == 1
    assert trust.tried(at(419)) == trust
    assert trust.tried(at(420)).left_seconds(at(420)) == 120


def test_nobody_tries_out_a_provider_that_is_trusted_or_rests() -> None:
    assert Trust().tried(START) == Trust()
    doubted = refused(Trust(), 20)
    assert doubted.tried(at(299)) == doubted


def test_a_bill_above_what_a_call_can_take_is_a_doubt_that_its_own_text_does_not_end() -> None:
    trust = refused(Trust(), 3).overbilled(START)
    assert trust.left_seconds(START) == 300
    assert trust.judged(START, accepted=True).left_seconds(START) == 300
    assert trust.judged(START, accepted=False).left_seconds(START) == 300


def test_a_bill_in_order_ends_the_doubt_of_the_bill_whatever_its_text_is() -> None:
    trust = Trust().overbilled(START).judged(START, accepted=False).tried(at(300))
    assert trust.judged(at(300), accepted=True) == Trust()
    assert trust.judged(at(300), accepted=False) == Trust(refused=2)
    again = trust.overbilled(at(300)).judged(at(300), accepted=True)
    assert again.left_seconds(at(300)) == 600
