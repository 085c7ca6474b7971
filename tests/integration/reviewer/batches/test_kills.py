"""Reviewer processes killed with -9 at each moment of a batch, and batches of llmock."""

import functools
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from services.reviewer.money.budget import Budget
from shared.metrics import Metrics
from tests import conditions
from tests.integration.reviewer.batch_server import BatchServer, batch_server
from tests.integration.reviewer.llmock_server import llmock_server
from tests.integration.reviewer.reviewers import (
    nothing_pending,
    reviewer_at_work,
    start_reviewer,
)

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

COUNT = 120
MOMENTS = ("upload", "submit", "poll", "collect")


wait_until = functools.partial(conditions.wait_until, seconds=120)


def write_providers(path: Path, base_url: str, **batch: object) -> Path:
    values = {"poll_seconds": 0.2, "linger_seconds": 1, **batch}
    told = ", ".join(
        f"{name} = {value if name != 'api' else repr(value)}" for name, value in values.items()
    )
    path.write_text(
        f"[[provider]]\nname = 'batcher'\nbase_url = '{base_url}'\nmodel = 'm'\n"
        "timeout_seconds = 1\nprice = { input_eur_per_million = 1, output_eur_per_million = 2 }\n"
        f"batch = {{ {told} }}\n"
    )
    return path


@pytest.mark.slow
def test_a_kill_at_any_moment_loses_nothing_and_pays_nothing_twice(
    register: "Register", engine: Engine, database_url: str, rabbitmq_url: str, tmp_path: Path
) -> None:
    register.add(range(1, COUNT + 1), apart=True)
    Budget(engine).resume(keep_cap=False)
    providers = tmp_path / "providers.toml"
    start = functools.partial(start_reviewer, database_url, rabbitmq_url, providers)

    def accepted() -> int:
        return len(register.rows("SELECT 1 FROM avis WHERE outcome = 'accepted'"))

    with batch_server() as server:
        write_providers(providers, server.base_url, size=COUNT)
        for moment in MOMENTS:
            reviewer = start()
            try:
                _reach(server, moment, lambda: accepted() > 0)
            finally:
                reviewer.send_signal(signal.SIGKILL)
                reviewer.wait()
            server.does.stuck_at = None
        # The last process died while it stored the answers.
        collected = accepted()
        reviewer = start()
        try:
            wait_until(lambda: accepted() == COUNT)
            wait_until(lambda: Budget(engine).read().reserved_eur == 0)
        finally:
            reviewer.kill()
            reviewer.wait()
        asked = len(server.asked)
    assert 0 < collected <= COUNT
    assert asked == COUNT
    attempts = register.rows("SELECT avis_id, cost_eur FROM avis_attempts")
    assert len({row["avis_id"] for row in attempts}) == len(attempts) == COUNT
    assert Budget(engine).read().spent_eur == sum(row["cost_eur"] for row in attempts)


def _reach(server: BatchServer, moment: str, some_accepted: Callable[[], bool]) -> None:
    if moment == "collect":
        wait_until(some_accepted)
        return
    server.does.reached.clear()
    server.does.stuck_at = moment
    assert server.does.reached.wait(60), moment


@pytest.mark.parametrize("api", ["openai", pytest.param("mistral", marks=pytest.mark.slow)])
def test_batches_of_llmock_are_submitted_polled_and_collected(
    register: "Register",
    engine: Engine,
    database_url: str,
    metrics: Metrics,
    tmp_path: Path,
    api: str,
) -> None:
    """Llmock writes English: each text is asked for three times, then the template writes."""
    register.add(range(1, 31), apart=True)
    Budget(engine).resume(keep_cap=False)
    with llmock_server() as llmock:
        url = llmock.base_url if api == "openai" else f"{llmock.url}/mistral/v1"
        file = write_providers(tmp_path / "providers.toml", url, size=30, api=api)
        with reviewer_at_work(
            database_url, metrics, avis_providers_file=file, reviewer_generators=20
        ):
            wait_until(lambda: nothing_pending(register))
    attempts = register.rows("SELECT * FROM avis_attempts WHERE provider = 'batcher'")
    assert len(attempts) == 90
    assert not any(row["accepted"] for row in attempts)
    assert all(row["tokens_in"] > 100 and row["text"] for row in attempts)
    ended = [row["state"] for row in register.rows("SELECT state FROM review_batches")]
    assert set(ended) == {"completed"}
    assert Budget(engine).read().spent_eur == sum(row["cost_eur"] for row in attempts)
    finished = metrics.registry.get_sample_value(
        "sirenade_batches_finished_total", {"state": "completed"}
    )
    assert finished == len(ended)
