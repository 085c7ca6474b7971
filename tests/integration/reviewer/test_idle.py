"""Two reviewers without work cost PostgreSQL little, and begin at once when there is some."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.integration.conftest import WaitFor

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

ROOT = Path(__file__).parents[3]
MOST_PER_SECOND = 5.0
SECONDS = 10.0

_TRANSACTIONS = text("""
    SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()
""")
_RENEW = text("SELECT pg_stat_clear_snapshot()")
_AT_WORK = "SELECT 1 FROM leases WHERE name = 'relay' AND held_until > clock_timestamp()"


@pytest.fixture
def reviewers(database_url: str, rabbitmq_url: str) -> Iterator[None]:
    settings = {
        "PYTHONPATH": str(ROOT),
        "SIRENADE_DATABASE_URL": database_url,
        "SIRENADE_BROKER_URL": rabbitmq_url,
        "SIRENADE_METRICS_PORT": "0",
    }
    command = [sys.executable, "-m", "services.reviewer", "run"]
    started = [
        subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for process in started:
        assert process.stdout is not None
        assert any('"ready"' in line for line in process.stdout), "it ended"
    yield
    for process in started:
        process.terminate()
    for process in started:
        process.communicate(timeout=30)


def _transactions(register: "Register") -> int:
    with register.engine.connect() as connection:
        connection.execute(_RENEW)
        return int(connection.scalar(_TRANSACTIONS) or 0)


def _rate(register: "Register") -> float:
    """Return the transactions a second of the next seconds."""
    before, begun = _transactions(register), time.monotonic()
    time.sleep(SECONDS)
    return (_transactions(register) - before) / (time.monotonic() - begun)


@pytest.mark.one_role
@pytest.mark.usefixtures("reviewers")
def test_two_idle_reviewers_make_few_transactions_and_begin_at_once(
    register: "Register", wait_for: WaitFor
) -> None:
    wait_for(lambda: register.rows(_AT_WORK), seconds=90)
    # The first turns of all loops are over.
    time.sleep(3)
    # The server counts its own transactions as well: now and then it vacuums.
    assert min(_rate(register) for _ in range(3)) < MOST_PER_SECOND
    register.add(range(1, 2))
    wait_for(lambda: register.rows("SELECT 1 FROM avis WHERE outcome = 'accepted'"), seconds=20)
