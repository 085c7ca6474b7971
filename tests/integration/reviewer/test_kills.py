"""Reviewer processes killed with -9, over a real RabbitMQ and a real PostgreSQL."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from services.reviewer.commands.due import mark_due
from services.reviewer.money.renewal_rate import set_renewals_per_day
from shared.broker import make_broker, ready_messages
from shared.broker.envelope import publish
from shared.messages import ReviewAvis
from tests.integration.conftest import WaitFor

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register

ROOT = Path(__file__).parents[3]
LEASE_SECONDS = 3
RENEWALS_PER_SECOND = 4

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start Python at the project's root, with arguments and settings; end it with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start_it(*arguments: str, **settings: str) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **settings}
        started.append(subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=environment))
        return started[-1]

    yield start_it
    for process in started:
        process.kill()
        process.wait()


def has_accepted(register: "Register", number: int) -> bool:
    return len(register.rows("SELECT 1 FROM avis WHERE outcome = 'accepted'")) >= number


def test_a_reviewer_killed_between_claim_and_store_is_relieved_when_its_lease_ends(
    register: "Register",
    database_url: str,
    rabbitmq_url: str,
    tmp_path: Path,
    start: Start,
    wait_for: WaitFor,
) -> None:
    ids = register.add(range(1, 26))
    register.execute("UPDATE avis SET published_at = now()")
    broker = make_broker(rabbitmq_url)
    publish(broker, ReviewAvis(avis_ids=ids))
    broker.close()
    begun = tmp_path / "begun"
    stuck = start(
        str(Path(__file__).with_name("stuck_reviewer.py")),
        database_url,
        rabbitmq_url,
        str(LEASE_SECONDS),
        str(begun),
    )
    wait_for(begun.exists, seconds=90)
    stuck.send_signal(signal.SIGKILL)
    stuck.wait()
    [claimed] = register.rows(
        "SELECT min(lease_until) AS lease_until, bool_and(now() < lease_until) AS live FROM avis"
    )
    assert claimed["live"]
    start(
        "-m",
        "services.reviewer",
        "run",
        SIRENADE_DATABASE_URL=database_url,
        SIRENADE_BROKER_URL=rabbitmq_url,
        SIRENADE_METRICS_PORT="0",
    )
    wait_for(partial(has_accepted, register, 25), seconds=90)
    [first] = register.rows("SELECT min(attempted_at) AS attempted_at FROM avis_attempts")
    assert first["attempted_at"] > claimed["lease_until"]
    attempts = register.rows("SELECT avis_id FROM avis_attempts WHERE accepted ORDER BY avis_id")
    assert [row["avis_id"] for row in attempts] == ids


def test_reviewers_killed_at_random_write_every_due_avis_once(
    register: "Register", database_url: str, rabbitmq_url: str, start: Start, wait_for: WaitFor
) -> None:
    ids = register.add(range(1, 401))
    settings = {
        "SIRENADE_DATABASE_URL": database_url,
        "SIRENADE_BROKER_URL": rabbitmq_url,
        "SIRENADE_METRICS_PORT": "0",
        "SIRENADE_REVIEWER_LEASE_SECONDS": str(LEASE_SECONDS),
        "SIRENADE_REVIEWER_STALL_SECONDS": "5",
        "SIRENADE_REVIEWER_HIGH_WATER": "100",
    }

    def run() -> "subprocess.Popen[bytes]":
        return start("-m", "services.reviewer", "run", **settings)

    reviewers = [run(), run()]
    for number in (80, 160, 280):
        wait_for(partial(has_accepted, register, number), seconds=90)
        reviewers[0].kill()
        reviewers[0].wait()
        reviewers = [reviewers[1], run()]
    wait_for(partial(has_accepted, register, len(ids)), seconds=90)
    rows = register.rows("SELECT avis_id FROM avis_attempts WHERE accepted ORDER BY avis_id")
    assert [row["avis_id"] for row in rows] == ids
    for reviewer in reviewers:
        reviewer.terminate()
    # The last process may have had no time to install its signal handler.
    assert {reviewer.wait(30) for reviewer in reviewers} <= {0, -signal.SIGTERM}
    broker = make_broker(rabbitmq_url)
    assert ready_messages(broker, ReviewAvis.QUEUE) == 0
    broker.close()


def test_two_reviewers_killed_in_turn_keep_the_rate_of_renewals_and_lose_none(
    register: "Register",
    desk: "Desk",
    database_url: str,
    rabbitmq_url: str,
    start: Start,
    wait_for: WaitFor,
) -> None:
    ids = register.add(range(1, 41), apart=True)
    desk.store(*desk.claim(ids))
    mark_due([register.engine], "another")
    register.execute("DELETE FROM avis_attempts")
    _set_renewals_per_day(register, 0)
    settings = {
        "SIRENADE_DATABASE_URL": database_url,
        "SIRENADE_BROKER_URL": rabbitmq_url,
        "SIRENADE_METRICS_PORT": "0",
        "SIRENADE_REVIEWER_LEASE_SECONDS": str(LEASE_SECONDS),
        "SIRENADE_REVIEWER_STALL_SECONDS": "10",
    }

    def run() -> "subprocess.Popen[bytes]":
        return start("-m", "services.reviewer", "run", **settings)

    reviewers = [run(), run()]
    [first] = register.add(range(100, 101), apart=True)
    wait_for(lambda: register.avis(first)["outcome"] == "accepted", seconds=90)
    _set_renewals_per_day(register, 86_460 * RENEWALS_PER_SECOND)
    [begun] = register.rows("SELECT renewals_arrival_at AS at FROM review_budget")
    for number in (15, 25):
        wait_for(partial(has_accepted, register, number), seconds=90)
        reviewers[0].kill()
        reviewers[0].wait()
        reviewers = [reviewers[1], run()]
    wait_for(partial(has_accepted, register, len(ids) + 1), seconds=90)
    made = register.rows(
        "SELECT avis_id, attempted_at FROM avis_attempts"
        f" WHERE accepted AND avis_id <> {first}"
        " ORDER BY attempted_at"
    )
    assert sorted(row["avis_id"] for row in made) == ids
    for number, row in enumerate(made):
        due_seconds = (row["attempted_at"] - begun["at"]).total_seconds()
        assert due_seconds >= number / RENEWALS_PER_SECOND


def _set_renewals_per_day(register: "Register", number: int) -> None:
    with register.engine.begin() as connection:
        set_renewals_per_day(connection, number)
    register.execute("UPDATE review_budget SET renewals_arrival_at = clock_timestamp()")
