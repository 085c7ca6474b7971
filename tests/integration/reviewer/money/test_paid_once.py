"""Reviewer processes are killed with -9 while they pay for texts."""

import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.conftest import WaitFor
from tests.integration.reviewer.llmock_server import GOOD_REPLY, llmock_server
from tests.integration.reviewer.reviewers import start_reviewer

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

COUNT = 200
GENERATORS = 10
KILLS = 3


@pytest.mark.slow
def test_a_kill_costs_at_most_the_calls_in_flight(
    register: "Register", database_url: str, rabbitmq_url: str, tmp_path: Path, wait_for: WaitFor
) -> None:
    """A text that is answered and not yet stored is in flight too, for half a second."""
    # Texts are equal here: of neighbours, templates would write most.
    register.add(range(1, COUNT + 1), apart=True)
    providers = tmp_path / "providers.toml"
    settings = {"SIRENADE_REVIEWER_GENERATORS": str(GENERATORS)}
    start = partial(start_reviewer, database_url, rabbitmq_url, providers, **settings)

    def accepted() -> int:
        return len(register.rows("SELECT 1 FROM avis WHERE outcome = 'accepted'"))

    with llmock_server("--latency-ms", "500") as llmock:
        llmock.expect(GOOD_REPLY)
        providers.write_text(
            f"[[provider]]\nname = 'llmock'\nbase_url = '{llmock.base_url}'\nmodel = 'm'\n"
            f"timeout_seconds = 2\nmax_parallel = {GENERATORS}\n"
            "price = { input_eur_per_million = 0, output_eur_per_million = 0 }\n"
        )
        reviewer = start()
        try:
            for kill in range(KILLS):
                wait_for(lambda kill=kill: accepted() >= 30 * (kill + 1), seconds=120)
                reviewer.send_signal(signal.SIGKILL)
                reviewer.wait()
                reviewer = start()
            wait_for(lambda: accepted() == COUNT, seconds=120)
        finally:
            reviewer.kill()
            reviewer.wait()
        paid = sum(record["status"] == 200 for record in llmock.records())
    attempts = register.rows("SELECT avis_id FROM avis_attempts WHERE accepted")
    assert len({row["avis_id"] for row in attempts}) == len(attempts) == COUNT
    assert paid - COUNT <= 2 * GENERATORS * KILLS
    assert {row["model"] for row in register.rows("SELECT model FROM avis")} == {"m"}
