"""`./sirenade runs` lists, shows, pauses, resumes and cancels."""

import json
from typing import Any

from sqlalchemy import Engine, text

from services.operator.exporter import queries
from services.operator.monitoring.readings import Reader
from shared.imports.orders import order_import
from shared.imports.progress import read_progress
from shared.imports.scope import Scope
from shared.terminal.progress_view import one_line
from tests.integration.commands import Sirenade


def _ordered(engine: Engine, *departements: str) -> int:
    with engine.begin() as connection:
        return order_import(connection, Scope(departements=departements))


def _execute(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def _plan(engine: Engine, run_id: int, *, expected: int, received: int) -> None:
    _execute(engine, f"UPDATE import_runs SET status = 'running' WHERE id = {run_id}")
    _execute(
        engine,
        "INSERT INTO import_batches (run_id, number, query, status, expected, received)"
        f" VALUES ({run_id}, 1, '', 'running', {expected}, {received})",
    )


def test_runs_are_listed_with_scope_state_progress_rate_and_eta(
    sirenade: Sirenade, engine: Engine
) -> None:
    assert sirenade("runs", "list").out == "nothing was imported yet\n"
    first, second = _ordered(engine, "33", "24"), _ordered(engine, "75")
    _plan(engine, first, expected=4000, received=1000)
    _execute(
        engine,
        "UPDATE import_runs SET created_at = now() - interval '1 h';"
        "INSERT INTO insee_requests (key_fingerprint, batch_id, granted_at, records)"
        " SELECT 'k', 1, now() - interval '1 min', 1000 FROM generate_series(1, 9)",
    )
    newest, oldest = json.loads(sirenade("runs", "list", "--json").out)
    assert (newest["run_id"], newest["state"], newest["scope"]) == (second, "pending", "75")
    assert (oldest["scope"], oldest["expected"], oldest["received"]) == ("33, 24", 4000, 1000)
    assert oldest["rows_per_second"] == 10.0
    assert oldest["eta_seconds"] == 300.0
    shown = sirenade("runs", "list").out
    assert all(word in shown for word in ("33, 24", "00:05:00", "10.0/s", "25"))
    (older,) = json.loads(sirenade("runs", "list", "--before", second, "--json").out)
    assert older["run_id"] == first
    assert "there is no run 7" in sirenade("runs", "show", 7).err


def test_a_pause_is_told_everywhere_and_alarms_nobody(sirenade: Sirenade, engine: Engine) -> None:
    run = _ordered(engine, "33")
    _execute(engine, "UPDATE import_runs SET created_at = now() - interval '1 h'")
    done = sirenade("runs", "pause", run, "--reason", "the disk is moved", "--by", "Ada")
    assert (done.status, done.out) == (0, f"run {run} is paused\n")
    again = sirenade("runs", "pause", run, "--reason", "again", "--by", "Bob")
    assert (again.status, again.out) == (0, f"run {run} is paused already\n")
    shown = sirenade("runs", "show", run).out
    assert "paused by Ada" in shown
    assert "the disk is moved" in shown
    status = sirenade("status", "--once")
    assert status.status == 0
    with engine.connect() as connection:
        progress = read_progress(connection)
        totals = connection.execute(queries.CONTROL).scalar_one()
    line = one_line(progress)
    assert f"run {run} is paused by Ada since" in line
    assert f"./sirenade runs resume {run}" in line
    assert totals["sirenade_import_paused_runs"] == {"pending": 1, "running": 0}
    assert Reader([engine], None).read().unplanned_runs == 0
    assert sirenade("runs", "resume", run).out == f"run {run} goes on\n"
    assert Reader([engine], None).read().unplanned_runs == 1


def test_pages_of_a_paused_run_neither_wait_nor_count_for_the_eta(engine: Engine) -> None:
    paused, works = _ordered(engine, "33"), _ordered(engine, "24")
    _plan(engine, paused, expected=4000, received=1000)
    _plan(engine, works, expected=500, received=100)
    _execute(
        engine,
        "INSERT INTO import_pages (batch_id, number, cursor) SELECT id, 1, '*' FROM import_batches;"
        "UPDATE import_runs SET halted_at = now(), halted_by = 'Ada', halted_because = 'x'"
        " WHERE id = 1",
    )
    with engine.connect() as connection:
        totals: dict[str, Any] = connection.execute(queries.CONTROL).scalar_one()
        assert read_progress(connection).paused_rows == 3000
    assert totals["sirenade_import_waiting_pages"] == 1
    assert totals["sirenade_import_left_today_rows"] == 400


def test_a_cancelled_run_is_final_and_says_so(sirenade: Sirenade, engine: Engine) -> None:
    run = _ordered(engine, "33")
    assert sirenade("runs", "cancel", run).status == 2
    assert sirenade("runs", "cancel", run, "--reason", " ").status == 2
    done = sirenade("runs", "cancel", run, "--reason", "wrong place", "--by", "Ada", "--json")
    assert json.loads(done.out) == {"run_id": run, "changed": True}
    refused = sirenade("runs", "resume", run)
    assert (refused.status, refused.err) == (
        2,
        f"error: run {run} was cancelled: order the import again\n",
    )
    assert "cancelled by Ada" in sirenade("runs", "show", run).out
    assert sirenade("reconcile").status == 0
