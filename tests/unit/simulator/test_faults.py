from collections import Counter

import pytest

from services.simulator.errors import BadChangeError
from services.simulator.faults import FaultDesk, Mishap
from services.simulator.options import Faults


def test_counted_mishaps_happen_to_the_next_requests_and_are_used_up() -> None:
    desk = FaultDesk(Faults(next_429=2, next_errors=1), seed=1)
    mishaps = [desk.mishap(number) for number in range(1, 6)]
    assert mishaps == [Mishap.STORM, Mishap.STORM, Mishap.ERROR, Mishap.NONE, Mishap.NONE]


def test_drawn_mishaps_depend_on_the_seed_and_nothing_else() -> None:
    def run(seed: int) -> list[Mishap]:
        desk = FaultDesk(Faults(rate_429=0.2, cut_rate=0.1), seed)
        return [desk.mishap(number) for number in range(1000)]

    assert run(1) == run(1)
    assert run(1) != run(2)
    counts = Counter(run(1))
    assert 150 < counts[Mishap.STORM] < 250
    assert 40 < counts[Mishap.CUT] < 130


def test_latency_stays_within_its_jitter() -> None:
    desk = FaultDesk(Faults(latency_ms=100, latency_jitter_ms=50), seed=1)
    waits = [desk.latency_seconds(number) for number in range(200)]
    assert min(waits) >= 0.1
    assert max(waits) <= 0.15
    assert len(set(waits)) > 10


@pytest.mark.parametrize(
    "values", [{"meteo": 1}, {"latency_ms": "beaucoup"}, {"new_keys": 1}, {"next_429": True}]
)
def test_a_knob_that_cannot_be_turned_leaves_all_others_alone(values: dict[str, object]) -> None:
    desk = FaultDesk(Faults(), seed=1)
    with pytest.raises(BadChangeError, match="fault"):
        desk.change({"latency_ms": 10, **values} if "latency_ms" not in values else values)
    assert desk.read()["latency_ms"] == 0


def test_a_rate_may_be_given_as_a_whole_number() -> None:
    desk = FaultDesk(Faults(), seed=1)
    assert desk.change({"error_rate": 1})["error_rate"] == 1.0
    assert desk.mishap(1) is Mishap.ERROR
