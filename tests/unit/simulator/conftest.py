import json
from collections.abc import Callable
from pathlib import Path

import pytest

from services.simulator.api.operations import Api
from services.simulator.faults import FaultDesk
from services.simulator.options import Faults, SimulatorOptions
from services.simulator.register.registers import GeneratedRegister

Call = Callable[..., tuple[int, dict[str, object]]]


@pytest.fixture(scope="session")
def insee() -> Path:
    """Return the folder of recorded answers."""
    return Path(__file__).parents[2] / "fixtures" / "insee"


@pytest.fixture(scope="session")
def register() -> GeneratedRegister:
    return GeneratedRegister(SimulatorOptions(establishments=6000, seed=7))


@pytest.fixture
def desk() -> FaultDesk:
    return FaultDesk(Faults(), seed=7)


@pytest.fixture
def call(register: GeneratedRegister, desk: FaultDesk) -> Call:
    """Ask the API without a socket; the answer is status and decoded body."""
    api = Api(register, desk)

    def ask(path: str, **params: str) -> tuple[int, dict[str, object]]:
        answer = api.answer(path, params)
        return answer.status, json.loads(answer.body)

    return ask
