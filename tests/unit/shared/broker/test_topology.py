import pytest

from shared.broker import topology


@pytest.mark.parametrize(
    ("delay_ms", "rung"),
    [
        (-5, 1),
        (1, 1),
        (1_000, 1),
        (1_001, 5),
        (15_000, 15),
        (60_001, 300),
        (3_600_000, 3_600),
        (90_000_000, 3_600),
    ],
)
def test_a_delay_is_rounded_up_to_a_rung(delay_ms: int, rung: int) -> None:
    assert topology.rung_for(delay_ms) == rung


def test_every_queue_that_dead_letters_does_so_at_least_once() -> None:
    arguments = [
        topology.work_arguments("sirene.write.v1", topology.QueueLimits()),
        topology.rung_arguments("sirene.write.v1", 1),
    ]
    for each in arguments:
        assert each["x-queue-type"] == "quorum"
        assert each["x-dead-letter-strategy"] == "at-least-once"
        assert each["x-overflow"] == "reject-publish"


def test_dead_letters_never_expire() -> None:
    assert "x-message-ttl" not in topology.dead_letter_arguments()
