"""The reviewer as it is built, with a chat server at a price, under a cap."""

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from services.reviewer.money.budget import Budget
from shared.metrics import Metrics
from shared.runtime.service import Service
from tests.integration.conftest import WaitFor
from tests.integration.reviewer.avis_command import make_call
from tests.integration.reviewer.llmock_server import GOOD_REPLY, Llmock, llmock_server
from tests.integration.reviewer.reviewers import reviewer_at_work

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

_COUNT = 60

AtWork = Callable[[], AbstractContextManager[Service]]


@pytest.fixture(scope="module")
def llmock() -> Iterator[Llmock]:
    with llmock_server() as server:
        server.expect(GOOD_REPLY)
        yield server


@pytest.fixture
def reviewer(database_url: str, llmock: Llmock, tmp_path: Path, metrics: Metrics) -> AtWork:
    """Build the service with a provider at 1 000 € a million tokens."""
    file = tmp_path / "providers.toml"
    file.write_text(
        f"""
        [[provider]]
        name = "llmock"
        base_url = "{llmock.base_url}"
        model = "m"
        requests_per_minute = 6000
        price = {{ input_eur_per_million = 1000, output_eur_per_million = 1000 }}
        """
    )

    return lambda: reviewer_at_work(
        database_url, metrics, avis_providers_file=file, reviewer_generators=20
    )


@pytest.fixture
def wait_until(wait_for: WaitFor) -> WaitFor:
    """Wait long enough for a paid run."""
    return functools.partial(wait_for, seconds=120)


def billed(register: "Register") -> Decimal:
    [row] = register.rows("SELECT coalesce(sum(cost_eur), 0) AS eur FROM avis_attempts")
    eur: Decimal = row["eur"]
    return eur


def outcomes(register: "Register") -> dict[str, int]:
    rows = register.rows("SELECT outcome, count(*) AS n FROM avis GROUP BY outcome")
    return {row["outcome"]: row["n"] for row in rows}


def test_at_the_cap_the_run_pauses_and_above_it_it_ends_with_every_text_paid_once(
    register: "Register", engine: Engine, reviewer: AtWork, wait_until: WaitFor
) -> None:
    register.add(range(1, _COUNT + 1), apart=True)
    budget = Budget(engine)
    with reviewer():
        # The cap begins at zero: the first call pauses the run.
        wait_until(lambda: budget.read().paused)
        wait_until(lambda: register.rows("SELECT FROM avis WHERE claim_token IS NOT NULL") == [])
        assert (outcomes(register), billed(register)) == ({"pending": _COUNT}, Decimal(0))
        budget.resume(cap_eur=Decimal(12), keep_cap=False)
        wait_until(lambda: budget.read().paused)
        wait_until(lambda: budget.read().reserved_eur == 0)
        state = budget.read()
        assert state.paused_because == "cap"
        assert Decimal(6) < state.spent_eur <= 12
        wait_until(lambda: billed(register) == state.spent_eur)
        assert outcomes(register).keys() <= {"accepted", "pending"}
        budget.resume(keep_cap=False)
        wait_until(lambda: outcomes(register) == {"accepted": _COUNT})
    assert billed(register) == budget.read().spent_eur
    attempts = register.rows("SELECT avis_id FROM avis_attempts")
    assert len(attempts) == len({row["avis_id"] for row in attempts}) == _COUNT


def test_a_sample_of_the_service_as_it_is_built(
    register: "Register",
    database_url: str,
    engine: Engine,
    reviewer: AtWork,
    wait_until: WaitFor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    register.add(range(1, _COUNT + 1), apart=True)
    budget = Budget(engine)
    with reviewer():
        wait_until(lambda: budget.read().paused)
        call = make_call(database_url, monkeypatch)
        done = call("run", "--sample", "5", "--cap", "90", "--json")
        assert done.returncode == 0, done.stderr
    assert len(done.events("text")) == 5
    assert outcomes(register) == {"accepted": 5, "pending": _COUNT - 5}
    [_, after] = done.events("forecast")
    assert after["texts"] == _COUNT - 5
    each = budget.read().spent_eur / 5
    assert Decimal(after["eur"]) == round(each * (_COUNT - 5), 4)
    assert billed(register) == budget.read().spent_eur
    shown = call("forecast").stdout
    assert "llmock" in shown
