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
from services.reviewer.notices import template
from services.reviewer.notices.template import GeneratedText
from shared.metrics import Metrics
from shared.sirene.facts import Facts
from tests import conditions
from tests.integration.reviewer.chat_server import Response, chat_server
from tests.integration.reviewer.chat_server import text as answer
from tests.integration.reviewer.reviewers import (
    MakeReviewer,
    nothing_pending,
    reviewer_at_work,
    write_providers,
)

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

# A gate lets ten calls in at first.
COUNT = 8
# A statement waits 10 s for a lock.
LOCKED_SECONDS = 14
LEASE_SECONDS = 12

wait_until = functools.partial(conditions.wait_until, seconds=90)


@contextmanager
def locked(engine: Engine, table: str, seconds: float) -> Iterator[None]:
    """Hold the table as VACUUM FULL does, from the beginning of the block on."""
    connection = engine.connect()
    connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
    timer = threading.Timer(seconds, connection.close)
    timer.start()
    try:
        yield
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
        file = write_providers(tmp_path / "providers.toml", server.base_url, timeout_seconds=20)
        with reviewer_at_work(
            database_url,
            metrics,
            avis_providers_file=file,
            reviewer_generators=COUNT,
        ):
            for _ in range(COUNT):
                assert all_asked.acquire(timeout=30)
            with locked(engine, table, LOCKED_SECONDS):
                may_answer.set()
            wait_until(lambda: nothing_pending(register))
            wait_until(lambda: budget.read().reserved_eur == 0)
        assert len(server.requests) == COUNT
    attempts = register.rows("SELECT avis_id, accepted, cost_eur FROM avis_attempts")
    assert len({row["avis_id"] for row in attempts}) == len(attempts) == COUNT
    assert all(row["accepted"] for row in attempts)
    assert budget.read().spent_eur == sum((row["cost_eur"] for row in attempts), Decimal(0))


@pytest.mark.slow
def test_a_text_that_waits_for_its_place_beyond_its_lease_is_made_by_nobody_else(
    register: "Register", engine: Engine, make_reviewer: MakeReviewer
) -> None:
    [avis_id] = register.add(range(1, 2))
    made: list[str] = []
    may_end = threading.Event()

    def generate(facts: Facts, year: int) -> GeneratedText:
        made.append(facts.siret)
        assert may_end.wait(30)
        return template.generate(facts, year)

    one, other = (make_reviewer(generate, lease_seconds=LEASE_SECONDS) for _ in range(2))
    working = threading.Thread(target=one.work, args=[[avis_id]])
    working.start()
    wait_until(lambda: made)
    with locked(engine, "avis_attempts", 2 * LEASE_SECONDS):
        may_end.set()
        while working.is_alive():
            other.work([avis_id])
            working.join(1)
    assert len(made) == 1
    assert register.avis(avis_id)["outcome"] == "accepted"
