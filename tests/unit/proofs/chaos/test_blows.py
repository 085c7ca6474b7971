import pytest

from tests.proofs.chaos.blows import POSTGRES, RABBITMQ, make_blows

SERVICES = ("fetcher-1", "writer-1", "reviewer-1")


def test_a_seed_gives_the_same_blows_again() -> None:
    assert make_blows(7, 50, SERVICES) == make_blows(7, 50, SERVICES)
    assert make_blows(7, 50, SERVICES) != make_blows(8, 50, SERVICES)


@pytest.mark.parametrize("number", [3, 5, 100])
def test_each_server_is_struck_at_least_once(number: int) -> None:
    for seed in range(50):
        victims = {blow.victim for blow in make_blows(seed, number, SERVICES)}
        assert {RABBITMQ, POSTGRES} <= victims


def test_most_blows_are_at_services() -> None:
    victims = [blow.victim for blow in make_blows(1, 1000, SERVICES)]
    assert sum(victim in SERVICES for victim in victims) > 700
    assert set(SERVICES) <= set(victims)
