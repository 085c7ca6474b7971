"""A circuit opens after failures, trust ends after refusals: no clock, no thread."""

from services.reviewer.providers.circuit_breaker import Circuit, State, Trust


def fail(circuit: Circuit, times: int, now: float = 0) -> None:
    for _ in range(times):
        circuit.failed(now, probe=False)


def test_half_of_the_calls_failing_opens_the_circuit_and_one_call_finds_out() -> None:
    circuit = Circuit()
    for _ in range(6):
        circuit.succeeded(probe=False)
    fail(circuit, 5)
    assert circuit.wait_seconds(0) == 0
    fail(circuit, 1)
    assert circuit.state is State.OPEN
    assert circuit.wait_seconds(0) == 5
    assert circuit.wait_seconds(5) == 0
    assert circuit.begin() is True
    assert circuit.wait_seconds(5) > 0, "only one finds out"
    circuit.succeeded(probe=True)
    assert circuit.wait_seconds(5) == 0
    assert circuit.begin() is False


def test_a_probe_that_fails_makes_the_next_one_wait_longer_up_to_a_minute() -> None:
    circuit = Circuit()
    fail(circuit, 10)
    waits = []
    now = 0.0
    for _ in range(6):
        now += circuit.wait_seconds(now)
        circuit.begin()
        circuit.failed(now, probe=True)
        waits.append(circuit.wait_seconds(now))
    assert waits == [10, 20, 40, 60, 60, 60]


def test_a_probe_that_was_not_made_leaves_the_next_one_its_turn() -> None:
    circuit = Circuit()
    fail(circuit, 10)
    circuit.begin()
    circuit.abandoned(7, probe=True)
    assert circuit.wait_seconds(7) == 0
    assert circuit.begin() is True


def test_a_refusal_puts_it_out_of_use_for_minutes() -> None:
    circuit = Circuit()
    circuit.refused(0)
    assert circuit.wait_seconds(0) == 300


def refuse(trust: Trust, times: int, now: float = 0) -> list[float]:
    return [trust.judged(now, accepted=False) for _ in range(times)]


def test_twenty_refusals_in_a_row_are_a_doubt_and_one_acceptance_ends_the_row() -> None:
    trust = Trust()
    refuse(trust, 19)
    trust.judged(0, accepted=True)
    assert refuse(trust, 20) == [0] * 19 + [300]
    assert trust.state is State.OPEN
    assert trust.wait_seconds(100) == 200


def test_texts_on_their_way_when_the_doubt_began_make_it_no_longer() -> None:
    trust = Trust()
    assert sum(refuse(trust, 220)) == 300
    assert trust.wait_seconds(300) == 0


def test_one_text_finds_out_and_each_refused_one_doubles_the_time_up_to_an_hour() -> None:
    trust, now = Trust(), 0.0
    refuse(trust, 20)
    waits = []
    for _ in range(6):
        now += trust.wait_seconds(now)
        trust.begin(now)
        assert trust.wait_seconds(now) > 0, "only one finds out"
        waits += refuse(trust, 1, now)
    assert waits == [600, 1200, 2400, 3600, 3600, 3600]
    now += trust.wait_seconds(now)
    trust.begin(now)
    trust.judged(now, accepted=True)
    assert trust.state is State.CLOSED
    assert sum(refuse(trust, 20)) == 300, "trust begins anew"


def test_a_text_that_never_comes_back_leaves_another_one_its_turn() -> None:
    trust = Trust()
    refuse(trust, 20)
    trust.begin(300)
    assert trust.wait_seconds(419) == 1
    assert trust.wait_seconds(420) == 0
