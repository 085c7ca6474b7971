"""A lock that is held for longer than PostgreSQL lets us wait discards no paid text."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, text

from services.reviewer.money.budget import Budget
from shared.metrics import Metrics
from tests import conditions
from tests.integration.reviewer.chat_server import Response, chat_server
from tests.integration.reviewer.chat_server import text as answer
from tests.integration.reviewer.reviewers import (
    nothing_pending,
    reviewer_at_work,
    write_providers,
)

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

COUNT = 12
# Beyond the lock timeout of 10 s, and beyond the lease.
LOCKED_SECONDS = 14

wait_until = functools.partial(conditions.wait_until, seconds=90)


@contextmanager
def locked(engine: Engine, table: str) -> Iterator[threading.Timer]:
    """Hold the table as VACUUM FULL does, until the timer that the test starts has run out."""
    connection = engine.connect()
    connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
    timer = threading.Timer(LOCKED_SECONDS, connection.close)
    try:
        yield timer
    finally:
        timer.join()


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    "table", ["avis", "avis_attempts", "etablissements", "review_budget", "review_reservations"]
)
def test_all_paid_texts_are_stored_after_a_long_lock_and_none_is_paid_for_again(
    register: "Register",
    engine: Engine,
    database_url: str,
    metrics: Metrics,
    tmp_path: Path,
    table: str,
) -> None:
    register.add(range(1, COUNT + 1), apart=True)
    budget = Budget(engine)
    budget.resume(cap_eur=None, keep_cap=False)
    all_asked, may_answer = threading.Semaphore(0), threading.Event()

    def respond(_: dict[str, Any]) -> Response:
        all_asked.release()
        assert may_answer.wait(60)
        return Response(answer())

    with chat_server(respond) as server:
        file = write_providers(tmp_path / "providers.toml", server.base_url, timeout_seconds=1.5)
        with reviewer_at_work(
            database_url,
            metrics,
            avis_providers_file=file,
            reviewer_generators=COUNT,
            reviewer_lease_seconds=12,
        ):
            for _ in range(COUNT):
                assert all_asked.acquire(timeout=30)
            with locked(engine, table) as timer:
                timer.start()
                may_answer.set()
            wait_until(lambda: nothing_pending(register))
            wait_until(lambda: budget.read().reserved_eur == 0)
        assert len(server.requests) == COUNT
    attempts = register.rows("SELECT avis_id, accepted, cost_eur FROM avis_attempts")
    assert len({row["avis_id"] for row in attempts}) == len(attempts) == COUNT
    assert all(row["accepted"] for row in attempts)
    assert budget.read().spent_eur == sum((row["cost_eur"] for row in attempts), Decimal(0))
