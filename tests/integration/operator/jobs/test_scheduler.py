"""Each slot of a job runs once, whatever process is killed and however long none ran."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from services.operator.jobs.catalogue import Job
from services.operator.jobs.schedule import daily_at
from shared.errors import UserError
from shared.metrics import JOBS
from tests.integration.commands import Sirenade
from tests.integration.conftest import WaitFor
from tests.integration.operator.clockwork import Operator, kept, load_register, slots
from tests.integration.writer.desk import Desk

ROOT = Path(__file__).parents[4]


def test_a_slot_fires_once_a_day(engine: Engine, desk: Desk) -> None:
    operator = Operator(engine)
    for _ in range(3):
        operator.turn()
    operator.turn(later=timedelta(hours=12))
    assert slots(desk) == [("2026-11-23T06:45Z", "done", 1)]
    operator.turn(later=timedelta(hours=12))
    assert slots(desk)[1:] == [("2026-11-24T06:45Z", "done", 1)]
    assert kept(desk) == operator.runs == 2


def test_of_days_that_were_missed_only_the_latest_is_made_up_for(
    engine: Engine, desk: Desk
) -> None:
    operator = Operator(engine)
    operator.turn()
    operator.turn(later=timedelta(days=5))
    assert slots(desk) == [("2026-11-23T06:45Z", "done", 1), ("2026-11-28T06:45Z", "done", 1)]


def test_several_operators_at_once_fire_each_slot_once(engine: Engine, desk: Desk) -> None:
    operators = [Operator(engine) for _ in range(4)]
    for day in range(5):
        barrier = Barrier(4)

        def turn(operator: Operator, barrier: Barrier = barrier, day: int = day) -> None:
            barrier.wait(timeout=10)
            operator.turn(later=timedelta(days=1 if day else 0))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(turn, operators))
    assert sum(operator.runs for operator in operators) == 5
    assert kept(desk) == 5
    assert {status for _, status, _ in slots(desk)} == {"done"}


def test_a_slot_that_fails_keeps_its_reason_and_is_tried_again_after_a_while(
    engine: Engine, desk: Desk
) -> None:
    operator = Operator(engine)
    operator.error = UserError("INSEE is asleep")
    operator.turn()
    operator.turn()
    assert slots(desk) == [("2026-11-23T06:45Z", "failed", 1)]
    assert kept(desk) == 0
    row = desk.one("SELECT *, next_attempt_at - now() AS wait FROM job_slots")
    assert row["error"] == "INSEE is asleep"
    assert timedelta(seconds=50) < row["wait"] < timedelta(seconds=61)

    desk.execute("UPDATE job_slots SET next_attempt_at = now()")
    operator.error = None
    operator.turn()
    assert slots(desk) == [("2026-11-23T06:45Z", "done", 2)]
    assert desk.one("SELECT error, result FROM job_slots") == {"error": None, "result": "run 2"}


def test_an_error_of_the_database_is_told_without_values(engine: Engine, desk: Desk) -> None:
    desk.execute("INSERT INTO oppositions VALUES ('732829320', now(), 'asked')")

    def work(connection: Connection) -> str:
        connection.execute(text("INSERT INTO oppositions VALUES ('732829320', now(), 'again')"))
        return ""

    Operator(engine, Job("delta", daily_at("07:45"), work)).turn()
    error = desk.one("SELECT error FROM job_slots")["error"]
    assert "duplicate key" in error
    assert "732829320" not in error


def test_a_job_that_outlives_its_lease_keeps_nothing_once_another_has_the_slot(
    engine: Engine, desk: Desk
) -> None:
    second = Operator(engine)

    def work(connection: Connection) -> str:
        connection.execute(text("INSERT INTO oppositions VALUES ('1', now(), 'late')"))
        second.turn()
        return "too late"

    Operator(engine, Job("delta", daily_at("07:45"), work, lease_seconds=-1)).turn()
    assert second.runs == 1
    assert desk.one("SELECT reason FROM oppositions") == {"reason": "ran"}
    assert desk.one("SELECT result FROM job_slots") == {"result": "run 1"}


@pytest.fixture
def start_operator(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    started = []

    def start(**settings: str) -> "subprocess.Popen[bytes]":
        environment = {
            **os.environ,
            "SIRENADE_DATABASE_URL": database_url,
            "SIRENADE_METRICS_PORT": "0",
            **settings,
        }
        with (tmp_path / "operator.log").open("ab") as log:
            command = [sys.executable, "-m", "services.operator", "run"]
            started.append(
                subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
            )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(timeout=10)


def test_an_operator_killed_while_it_holds_a_slot_does_not_skip_the_day(
    engine: Engine, desk: Desk, start_operator: Callable[..., Any], wait_for: WaitFor
) -> None:
    load_register(engine)

    def status() -> dict[str, str]:
        return {r["job"]: r["status"] for r in desk.execute("SELECT job, status FROM job_slots")}

    with engine.begin() as connection:
        # The job waits in its middle for the test.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('order_delta'))"))
        first = start_operator()
        wait_for(lambda: status().get("delta") == "running", seconds=30)
        first.kill()
        first.wait(timeout=10)
    assert desk.number("import_runs") == 0
    # The lease ends now, as if ten minutes had passed.
    desk.execute("UPDATE job_slots SET lease_until = now() - interval '1 second'")
    second = start_operator()
    wait_for(lambda: status() == dict.fromkeys(JOBS, "done"), seconds=30)
    assert desk.one("SELECT kind, status FROM import_runs") == {
        "kind": "delta",
        "status": "pending",
    }
    assert desk.one("SELECT attempts FROM job_slots WHERE job = 'delta'") == {"attempts": 2}
    second.terminate()
    assert second.wait(timeout=20) == 0


def test_an_operator_with_an_absurd_hour_ends_with_one_clear_line(
    start_operator: Callable[..., Any], tmp_path: Path
) -> None:
    assert start_operator(SIRENADE_DELTA_AT="quarter past").wait(timeout=30) == 2
    log = (tmp_path / "operator.log").read_text()
    assert "SIRENADE_DELTA_AT" in log
    assert "Traceback" not in log


def test_the_schedule_is_listed_with_last_and_next_runs(
    sirenade: Sirenade, engine: Engine, desk: Desk
) -> None:
    none = sirenade("schedule")
    assert none.status == 0
    assert none.out == "no operator has run yet\n"
    assert "no operator is running" in none.err

    operator = Operator(engine)
    operator.turn()
    told = sirenade("schedule")
    assert told.err == ""
    assert all(each in told.out for each in ("delta", "23/11 07:45", "24/11 07:45", "done"))
    listed = json.loads(sirenade("schedule", "--json").out)
    assert listed["operator_is_running"] is True
    (job,) = listed["jobs"]
    assert (job["job"], job["last"], job["status"], job["result"]) == (
        "delta",
        "2026-11-23T06:45Z",
        "done",
        "run 1",
    )
    operator.error = UserError("INSEE is asleep")
    operator.turn(later=timedelta(days=1))
    told = sirenade("schedule")
    assert "failed once, again" in told.out
    assert "INSEE is asleep" in told.out
    desk.execute("UPDATE jobs SET seen_at = now() - interval '5 minutes'")
    assert json.loads(sirenade("schedule", "--json").out)["operator_is_running"] is False


def test_what_goes_on_without_slots_is_listed_too(
    sirenade: Sirenade, engine: Engine, desk: Desk
) -> None:
    Operator(engine).turn()
    told = sirenade("schedule").out
    assert re.search(r"dead letters .* none waits .* as they come", told)
    assert re.search(r"sizes .* \d+ [kM]B in the database .* at each scrape", told)
    desk.execute(
        "INSERT INTO dead_letters (queue, message_id, body, archived_at)"
        " VALUES ('q', 'm', '', '2026-11-23T06:45Z')"
    )
    listed = json.loads(sirenade("schedule", "--json").out)["without_slots"]
    letters, _ = listed
    assert (letters["job"], letters["result"]) == ("dead letters", "1 waits")
    assert letters["last"].startswith("2026-11-23")


def test_metrics_say_what_came_of_jobs_and_when_they_last_succeeded(engine: Engine) -> None:
    operator = Operator(engine)
    operator.turn()
    sample = operator.metrics.registry.get_sample_value
    assert sample("sirenade_job_runs_total", {"name": "delta", "outcome": "done"}) == 1
    assert sample("sirenade_job_runs_total", {"name": "purge", "outcome": "failed"}) == 0
    last = sample("sirenade_job_last_success_timestamp_seconds", {"name": "delta"})
    assert last is not None
    assert abs(last - datetime.now(UTC).timestamp()) < 60
