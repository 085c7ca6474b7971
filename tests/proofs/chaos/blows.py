"""The blows of `prove chaos`: victims, order and waits, all from one seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

RABBITMQ = "rabbitmq"
POSTGRES = "postgres"
DATABASE_CONNECTIONS = "connections to postgres"
BROKER_CONNECTIONS = "connections to rabbitmq"
_PROCESS = "a process"
# A server needs some ten seconds to come back: as many blows as a process gets would stop it.
_WEIGHTS = {_PROCESS: 80, DATABASE_CONNECTIONS: 6, BROKER_CONNECTIONS: 6, RABBITMQ: 4, POSTGRES: 4}
_MOST_WAIT_SECONDS = 5.0
MEAN_WAIT_SECONDS = _MOST_WAIT_SECONDS / 2


@dataclass(frozen=True)
class Blow:
    after_seconds: float
    victim: str


def make_blows(seed: int, number: int, services: Sequence[str]) -> list[Blow]:
    """Draw the same blows for the same seed; three or more strike each server at least once."""
    dice = random.Random(seed)
    kinds = dice.choices(list(_WEIGHTS), weights=list(_WEIGHTS.values()), k=number)
    if number > 2:
        kinds[dice.randrange(number)] = RABBITMQ
        kinds[(kinds.index(RABBITMQ) + 1 + dice.randrange(number - 1)) % number] = POSTGRES
    return [
        Blow(
            dice.uniform(0, _MOST_WAIT_SECONDS), dice.choice(services) if kind == _PROCESS else kind
        )
        for kind in kinds
    ]
