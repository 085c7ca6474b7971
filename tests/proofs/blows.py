"""What is struck, in what order and after which wait: all of it from one seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

RABBITMQ = "rabbitmq"
POSTGRES = "postgres"
DATABASE_CONNECTIONS = "connections to postgres"
BROKER_CONNECTIONS = "connections to rabbitmq"
_PROCESS = "a process"
# A server takes some ten seconds to come back: struck as often as a process it would rarely work.
_WEIGHTS = {
    _PROCESS: 80,
    DATABASE_CONNECTIONS: 6,
    BROKER_CONNECTIONS: 6,
    RABBITMQ: 4,
    POSTGRES: 4,
}
_MOST_WAIT_SECONDS = 5.0
MEAN_WAIT_SECONDS = _MOST_WAIT_SECONDS / 2


@dataclass(frozen=True)
class Blow:
    after_seconds: float
    victim: str


def make_blows(seed: int, number: int, services: Sequence[str]) -> list[Blow]:
    """The same for the same seed; from three blows on each server is struck at least once."""
    dice = random.Random(seed)
    kinds = dice.choices(list(_WEIGHTS), weights=list(_WEIGHTS.values()), k=number)
    if number > 2:
        kinds[dice.randrange(number)] = RABBITMQ
        kinds[(kinds.index(RABBITMQ) + 1 + dice.randrange(number - 1)) % number] = POSTGRES
    return [
        Blow(
            dice.uniform(0, _MOST_WAIT_SECONDS),
            dice.choice(services) if kind == _PROCESS else kind,
        )
        for kind in kinds
    ]
