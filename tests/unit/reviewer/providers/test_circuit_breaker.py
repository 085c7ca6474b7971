"""A circuit opens after failures, trust ends after refusals: no clock, no thread."""

from services.reviewer.providers.circuit_breaker import Circuit, State


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
