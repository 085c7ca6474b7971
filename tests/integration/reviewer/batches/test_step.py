"""Batches over a server that the test controls, and a real PostgreSQL."""

import threading
import uuid
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from services.reviewer.batches import holds, jobs
from services.reviewer.batches.figures import read_load
from services.reviewer.commands.due import count_under_way
from services.reviewer.money.budget import Budget
from services.reviewer.providers.settings import read_providers
from services.reviewer.relay import forget_publications
from shared.errors import SlowDown, UserError
from tests.integration.reviewer.batch_server import (
    Answer,
    BatchServer,
    Behaviour,
    answered,
    failed,
)
from tests.integration.reviewer.batches.conftest import EACH_EUR, Desk, Make
from tests.integration.reviewer.chat_server import text

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register


def _all_failed(desk: Desk, batches: int) -> bool:
    return desk.states() == ["failed"] * batches


def test_after_a_failed_batch_all_is_due_and_the_server_is_left_alone_for_longer_each_time(
    make: Make, register: "Register", server: BatchServer, engine: Engine
) -> None:
    server.does.status = "failed"
    desk = make()
    ids = register.add(range(1, 4), apart=True)
    waits: list[float] = []
    for batches in range(1, 4):
        desk.work(ids)
        desk.until(partial(_all_failed, desk, batches))
        assert (desk.due(), desk.paid()) == (3, (0, 0))
        waits.append(read_load(engine, "batcher", poll_seconds=600).closed_seconds)
        desk.until(lambda: desk.line.wait_seconds() <= 0)
    assert waits[0] > 600
    assert waits[1] > 1.5 * waits[0]
    assert waits[2] > 1.2 * waits[1]
    # No avis goes to a server that is out of use: other servers may write it.
    desk.line.set(room=50, closed_seconds=9)
    with pytest.raises(SlowDown, match="no provider can be asked"):
        desk.reviewer.work(ids)
    server.does.status = "completed"
    desk.work(ids)
    desk.until(lambda: desk.outcomes() == {"accepted": 3})


@pytest.mark.parametrize("fate", [429, 503, 401])
def test_a_batch_that_is_not_taken_is_submitted_once_the_server_takes_it(
    make: Make, register: "Register", server: BatchServer, fate: int
) -> None:
    server.does.submits = [fate, fate]
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    desk.until(lambda: desk.outcomes() == {"accepted": 3})
    assert len(server.batches) == 1
    assert desk.paid()[0] == 3 * EACH_EUR


def test_a_batch_that_the_server_finds_fault_with_is_not_sent_again(
    make: Make, register: "Register", server: BatchServer
) -> None:
    server.does.submits = [400]
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    desk.until(lambda: desk.states() == ["failed"])
    assert (desk.due(), desk.paid(), server.batches) == (3, (0, 0), [])


def test_a_batch_whose_submission_was_cut_is_found_by_its_key(
    make: Make, register: "Register", server: BatchServer
) -> None:
    server.does.submits = ["cut"]
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    desk.until(lambda: desk.outcomes() == {"accepted": 3})
    assert len(server.batches) == 1
    assert desk.paid()[0] == 3 * EACH_EUR


def test_a_batch_that_may_be_there_at_a_server_without_lists_counts_as_spent(
    make: Make, register: "Register", server: BatchServer
) -> None:
    server.does = Behaviour(submits=["cut"], lists=False)
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    desk.until(lambda: desk.states() == ["lost"])
    spent, reserved = desk.paid()
    assert spent > 3 * EACH_EUR
    assert reserved == 0
    assert sum(row["cost_eur"] for row in desk.attempts()) == spent
    assert [row["unanswered"] for row in desk.attempts()] == [1, 1, 1]
    # They wait for another batch, and are asked for three times in all.
    assert desk.due() == 0
    desk.until(lambda: desk.outcomes() == {"accepted": 3})


def test_a_file_that_is_gone_is_paid_for_three_times_at_most(
    make: Make, register: "Register", server: BatchServer
) -> None:
    """Each text counts as asked: it is not paid for again and again up to the cap."""
    server.does.contents = [404] * 1000
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    desk.until(lambda: desk.outcomes() == {"accepted": 3})
    desk.until(lambda: desk.states() == ["lost"] * 3)
    because = register.rows("SELECT failed_because FROM review_batches")
    assert {row["failed_because"] for row in because} == {"file_gone"}
    attempts = desk.attempts()
    assert len(server.batches) == 3
    assert len([row for row in attempts if row["provider"]]) == 9
    assert {row["model"] for row in attempts if row["accepted"]} == {"template"}
    assert desk.paid() == (sum(row["cost_eur"] for row in attempts), 0)


def test_a_gone_file_of_errors_costs_nothing_where_all_is_answered(
    make: Make, register: "Register", server: BatchServer
) -> None:
    server.does.contents = [200, 404] * 10
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    desk.until(lambda: desk.states() == ["completed"])
    assert desk.outcomes() == {"accepted": 3}
    assert desk.paid() == (3 * EACH_EUR, 0)


def test_a_failed_batch_is_told_with_its_cause_and_none_of_the_servers_words(
    make: Make, register: "Register", server: BatchServer
) -> None:
    server.does.status = "failed"
    server.does.errors_told = [
        {"code": "Line 3: ATELIER DUPONT"},
        {"code": "invalid_json_line", "message": "ATELIER DUPONT"},
    ]
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    with capture_logs() as events:
        desk.until(lambda: desk.states() == ["failed"])
    [ended] = [event for event in events if event["event"] == "batch ended"]
    assert (ended["because"], ended["log_level"]) == ("invalid_json_line", "error")
    assert "DUPONT" not in str(events)
    [row] = register.rows("SELECT failed_because FROM review_batches")
    assert row["failed_because"] == "invalid_json_line"
    assert desk.due() == 3


def test_a_crowded_server_gets_smaller_batches_and_no_text_is_the_templates(
    make: Make, register: "Register", server: BatchServer
) -> None:
    server.does.status = "failed"
    server.does.errors_told = [{"code": "token_limit_exceeded"}]
    desk = make()
    ids = register.add(range(1, 9), apart=True)
    desk.work(ids)
    desk.until(lambda: desk.states() == ["failed"] * 3)
    assert desk.line.wait_seconds() == 0, "the server is well, and the texts wait for it"
    assert [len(batch.requests) for batch in server.batches] == [8, 4, 2]
    server.does = Behaviour()
    desk.until(lambda: desk.outcomes() == {"accepted": 8})
    assert {row["model"] for row in register.rows("SELECT model FROM avis")} == {"batcher-model"}
    assert desk.paid() == (8 * EACH_EUR, 0)


@pytest.mark.parametrize("answer", [lambda _: [], lambda request: [failed(request, 500)]])
def test_after_a_batch_without_one_answer_the_server_is_doubted(
    make: Make, register: "Register", server: BatchServer, engine: Engine, answer: Answer
) -> None:
    server.does.answer = answer
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    with capture_logs() as events:
        desk.until(lambda: desk.states()[:1] == ["completed"])
    assert read_load(engine, "batcher", poll_seconds=600).closed_seconds > 600
    [row] = register.rows("SELECT answered FROM review_batches ORDER BY id LIMIT 1")
    assert row["answered"] == 0
    assert [event["log_level"] for event in events if event["event"] == "batch ended"][:1] == [
        "error"
    ]


def test_a_provider_whose_batches_bring_no_accepted_text_is_doubted(
    make: Make, register: "Register", server: BatchServer, engine: Engine
) -> None:
    server.does.answer = lambda request: [answered(request, text("Certainement !"))]
    desk = make()
    desk.work(register.add(range(1, 21), apart=True))
    desk.until(lambda: desk.states()[:1] == ["completed"])
    assert read_load(engine, "batcher", poll_seconds=600).closed_seconds > 600
    state = desk.batches.metrics.registry.get_sample_value(
        "sirenade_circuit_state", {"provider": "batcher"}
    )
    assert state == 2


def test_a_batch_that_bills_more_than_was_set_aside_is_told_and_the_last_for_a_time(
    make: Make, register: "Register", server: BatchServer, engine: Engine
) -> None:
    dear = text(usage={"prompt_tokens": 1200, "completion_tokens": 50_000})
    server.does.answer = lambda request: [answered(request, dear)]
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    with capture_logs() as events:
        desk.until(lambda: desk.states() == ["completed"])
    assert "answers bill more than they can take" in [event["event"] for event in events]
    assert desk.outcomes() == {"accepted": 3}
    assert desk.paid() == (sum(row["cost_eur"] for row in desk.attempts()), 0)
    assert read_load(engine, "batcher", poll_seconds=600).closed_seconds > 600


def test_a_batch_that_nobody_hears_of_any_more_is_given_up(
    make: Make, register: "Register", server: BatchServer
) -> None:
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    server.does.status = "in_progress"
    desk.until(lambda: desk.states() == ["submitted"])
    register.execute("UPDATE review_batches SET expires_at = now() - interval '3 hours'")
    # Its provider is no longer in the file.
    desk.batches = replace(desk.batches, routes=[])
    desk.until(lambda: desk.states() == ["lost"])
    assert desk.due() == 3
    assert desk.paid()[1] == 0


def test_a_batch_is_as_large_as_the_money_and_the_cap_holds(
    make: Make, register: "Register", engine: Engine
) -> None:
    desk = make(price={"input_eur_per_million": 1000, "output_eur_per_million": 1000})
    desk.work(register.add(range(1, 21), apart=True))
    cap = Decimal(12)
    Budget(engine).resume(cap_eur=cap, keep_cap=False)
    highest = Decimal(0)

    def seen() -> bool:
        nonlocal highest
        highest = max(highest, sum(desk.paid()))
        return Budget(engine).read().paused

    desk.until(seen)
    assert highest <= cap
    spent, reserved = desk.paid()
    assert reserved == 0
    written = desk.outcomes()["accepted"]
    assert 0 < written < 20
    assert spent == written * Decimal("1.32")
    assert Budget(engine).read().paused_because == "cap"
    Budget(engine).resume(keep_cap=False)
    desk.until(lambda: desk.outcomes() == {"accepted": 20})


def test_two_processes_never_submit_the_same_batch(
    make: Make, register: "Register", server: BatchServer, engine: Engine
) -> None:
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    [(_, [steps])] = desk.batches.routes
    assert steps.builder().build(engine, left_eur=None, only=None) == (3, None)
    job = jobs.take(engine, "batcher", lease_seconds=60)
    assert job is not None
    threads = [threading.Thread(target=steps.advance, args=[job])]
    threads.append(threading.Thread(target=make().batches.routes[0][1][0].advance, args=[job]))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.batches) == 1


def test_a_new_start_of_a_process_that_is_alone_leaves_batches_their_avis(
    make: Make, register: "Register", server: BatchServer, engine: Engine
) -> None:
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    forget_publications(engine)
    assert desk.due() == 0
    server.does.status = "in_progress"
    desk.until(lambda: desk.states() == ["submitted"])
    forget_publications(engine)
    assert desk.due() == 0
    # A sample does not wait for a batch either: it may take a day.
    assert count_under_way([engine]) == 0


def test_a_paused_run_collects_what_was_asked_for_and_asks_for_no_more(
    make: Make, register: "Register", server: BatchServer, engine: Engine
) -> None:
    desk = make()
    ids = register.add(range(1, 7), apart=True)
    desk.work(ids[:3])
    server.does.status = "in_progress"
    desk.until(lambda: desk.states() == ["submitted"])
    desk.work(ids[3:])
    Budget(engine).pause("asked")
    server.does.status = "completed"
    desk.until(lambda: desk.states() == ["completed"])
    for _ in range(3):
        desk.batches.step()
    assert len(server.batches) == 1
    assert desk.outcomes() == {"accepted": 3, "pending": 3}
    Budget(engine).resume()
    desk.until(lambda: desk.outcomes() == {"accepted": 6})


def test_what_is_settled_twice_counts_once(engine: Engine) -> None:
    key = uuid.uuid4()
    budget = Budget(engine)
    budget.resume(cap_eur=Decimal(10), keep_cap=False)
    assert holds.hold(engine, key, "p", Decimal(8))
    assert holds.hold(engine, key, "p", Decimal(8))
    assert not holds.hold(engine, uuid.uuid4(), "p", Decimal(3))
    for _ in range(2):
        holds.settle(engine, key, jobs.BatchTotals(3, spent_eur=Decimal(1), left_eur=Decimal(5)))
    state = budget.read()
    assert (state.spent_eur, state.reserved_eur) == (Decimal(1), Decimal(5))
    for _ in range(2):
        holds.end(engine, key, jobs.BatchTotals(4, spent_eur=Decimal(2), left_eur=Decimal(0)))
    state = budget.read()
    assert (state.spent_eur, state.reserved_eur) == (Decimal(2), Decimal(0))


@pytest.mark.parametrize(
    ("batch", "complaint"),
    [
        ("{ size = 0 }", "batch.size"),
        ("{ api = 'cohere' }", "batch.api"),
        ("{ poll_seconds = 0 }", "batch.poll_seconds"),
        ("{ mode = 'batch' }", "batch.mode"),
        ("true", "batch"),
    ],
)
def test_bad_settings_of_batches_get_one_clear_line(
    tmp_path: Path, batch: str, complaint: str
) -> None:
    file = tmp_path / "providers.toml"
    file.write_text(
        f"[[provider]]\nname = 'x'\nbase_url = 'http://localhost'\nmodel = 'm'\nbatch = {batch}\n"
    )
    with pytest.raises(UserError, match=complaint) as raised:
        read_providers(file)
    assert "\n" not in str(raised.value)
