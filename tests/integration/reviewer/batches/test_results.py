"""Answers of batches become texts, and each is paid once."""

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from services.reviewer.batches import jobs
from services.reviewer.batches.figures import read_batched
from shared.db.tables import etablissements, unites_legales
from shared.money.due import read_made
from tests.integration.reviewer.batch_server import (
    BatchServer,
    Behaviour,
    answered,
    expired,
    failed,
)
from tests.integration.reviewer.batches.conftest import EACH_EUR, Desk, Make
from tests.integration.reviewer.chat_server import completion, phrases, text

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register


def test_every_avis_of_a_batch_is_written_paid_and_told_of_once(
    make: Make, register: "Register", server: BatchServer
) -> None:
    """Answers come in any order, some twice, and one for an unknown line."""
    server.does.answer = lambda request: [
        answered(request),
        answered(request),
        {**answered(request), "custom_id": "999999"},
    ]
    desk = make()
    ids = register.add(range(1, 21), apart=True)
    desk.work(ids)
    [waiting] = register.rows("SELECT count(*) AS n FROM review_batch_lines WHERE batch_id IS NULL")
    assert waiting["n"] == 20
    server.does.status = "in_progress"
    desk.until(lambda: desk.states() == ["submitted"])
    spent, reserved = desk.paid()
    assert spent == 0 < reserved
    told = read_batched([desk.engine])
    assert (told.waiting, told.batches, told.texts) == (0, 1, 20)
    assert told.expected_by is not None
    server.does.status = "completed"
    desk.until(lambda: desk.outcomes() == {"accepted": 20})
    desk.until(lambda: desk.states() == ["completed"])
    assert len(server.batches) == 1
    attempts = desk.attempts()
    assert [row["accepted"] for row in attempts] == [True] * 20
    assert {row["avis_id"] for row in attempts} == set(ids)
    assert {(row["provider"], row["tokens_in"]) for row in attempts} == {("batcher", 1200)}
    assert {row["cost_eur"] for row in attempts} == {EACH_EUR}
    assert desk.paid() == (20 * EACH_EUR, 0)
    [known] = register.rows("SELECT calls, spent_eur, max_parallel FROM review_providers")
    assert dict(known) == {"calls": 20, "spent_eur": 20 * EACH_EUR, "max_parallel": 500}
    assert register.rows("SELECT FROM review_batch_lines") == []
    assert register.rows("SELECT FROM review_batch_holds") == []
    [one] = register.rows("SELECT label, digital_source_type, text FROM avis LIMIT 1")
    assert "rédigée par IA" in one["label"]
    assert "Atelier Dupont" in one["text"]
    sent = str(server.asked)
    assert "DUPONT" not in sent
    assert "BORDEAUX" not in sent
    assert len(read_made([desk.engine])) == 20


def test_a_refused_text_is_asked_for_twice_more_with_remedies_then_the_template_writes(
    make: Make, register: "Register", server: BatchServer
) -> None:
    server.does.answer = lambda request: [answered(request, text("Un texte très court."))]
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    desk.until(lambda: desk.outcomes() == {"accepted": 3})
    desk.until(lambda: desk.states() == ["completed"] * 3)
    assert len(server.asked) == 9
    prompts = [str(request["body"]) for request in server.asked]
    assert ["Le nom manquait" in prompt for prompt in prompts] == [False] * 3 + [True] * 6
    attempts = desk.attempts()
    assert len(attempts) == 12
    assert sum(row["accepted"] for row in attempts) == 3
    assert {row["provider"] for row in attempts if row["accepted"]} == {None}
    # A prompt with remedies takes more tokens than the server tells: it is billed by what it takes.
    spent, reserved = desk.paid()
    assert 9 * EACH_EUR <= spent < 10 * EACH_EUR
    assert reserved == 0


def test_facts_that_a_line_misnames_are_a_reason_and_their_remedy_is_told(
    make: Make, register: "Register", server: BatchServer
) -> None:
    misnamed = completion(phrases().replace('"nom", "commune"', '"nom", "forme"'))
    server.does.answer = lambda request: [
        answered(request, text() if "sous « faits »" in str(request["body"]) else misnamed)
    ]
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    desk.until(lambda: desk.outcomes() == {"accepted": 3})
    assert len(server.asked) == 6
    refused = [row["reasons"] for row in desk.attempts() if not row["accepted"]]
    assert refused == [["facts_misnamed"]] * 3
    assert {row["provider"] for row in desk.attempts()} == {"batcher"}


def test_an_answer_that_breaks_the_validation_is_logged_with_its_avis_and_counts_as_refused(
    make: Make, register: "Register", monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(text: str, _facts: object) -> str:
        raise KeyError(text)

    monkeypatch.setattr("services.reviewer.providers.answers.fill", broken)
    desk = make()
    [avis_id] = register.add(range(1, 2))
    desk.work([avis_id])
    with capture_logs(processors=[merge_contextvars]) as events:
        desk.until(lambda: desk.outcomes() == {"accepted": 1})
    failures = [event for event in events if event["event"] == "validation failed"]
    assert [(event["avis_id"], event["error"]) for event in failures] == [(avis_id, "KeyError")] * 3
    *refused, _ = desk.attempts()
    assert [row["reasons"] for row in refused] == [["generator_failed"]] * 3


def test_lines_that_fail_or_are_missing_cost_nothing_and_are_asked_for_again(
    make: Make, register: "Register", server: BatchServer
) -> None:
    desk = make()
    ids = register.add(range(1, 7), apart=True)
    desk.work(ids)
    first = {"answered": 0}

    def some(request: dict[str, Any]) -> list[dict[str, Any]]:
        if len(server.batches) == 1 and int(request["custom_id"]) % 3:
            return []
        first["answered"] += 1
        return [answered(request)]

    server.does.answer = some
    server.does.errors = lambda request: (
        [failed(request, 500)]
        if len(server.batches) == 1 and int(request["custom_id"]) % 3 == 1
        else []
    )
    desk.until(lambda: desk.outcomes() == {"accepted": 6})
    desk.until(lambda: desk.states() == ["completed"] * 2)
    assert len(server.asked) == 10
    attempts = desk.attempts()
    assert Counter(tuple(row["reasons"]) for row in attempts) == {
        (): 6,
        ("provider_unavailable",): 4,
    }
    assert desk.paid() == (6 * EACH_EUR, 0)


def test_of_an_expired_batch_what_was_written_counts_and_the_rest_is_due_again(
    make: Make, register: "Register", server: BatchServer
) -> None:
    server.does = Behaviour(
        status="expired",
        answer=lambda request: [answered(request)] if int(request["custom_id"]) % 2 else [],
        errors=lambda request: [] if int(request["custom_id"]) % 2 else [expired(request)],
    )
    desk = make()
    ids = register.add(range(1, 11), apart=True)
    desk.work(ids)
    desk.until(lambda: desk.states() == ["expired"])
    assert desk.outcomes() == {"accepted": 5, "pending": 5}
    assert desk.due() == 5
    assert desk.paid() == (5 * EACH_EUR, 0)
    server.does = Behaviour()
    desk.work(ids)
    desk.until(lambda: desk.outcomes() == {"accepted": 10})
    assert desk.paid()[0] == 10 * EACH_EUR


def test_answers_that_are_cut_are_collected_again(
    make: Make, register: "Register", server: BatchServer
) -> None:
    server.does.contents = ["cut", "cut"]
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    desk.until(lambda: desk.outcomes() == {"accepted": 3})
    assert len(desk.attempts()) == 3
    assert desk.paid()[0] == 3 * EACH_EUR


def test_what_changes_meanwhile_discards_the_answer_which_is_paid_for_all_the_same(
    make: Make, register: "Register", server: BatchServer
) -> None:
    desk = make()
    ids = register.add(range(1, 6), apart=True)
    desk.work(ids)
    server.does.status = "in_progress"
    desk.until(lambda: desk.states() == ["submitted"])
    register.change(unites_legales, register.siren(1), statut_diffusion="P")
    register.oppose(register.siren(2))
    register.change(etablissements, register.siren(3), tranche_effectifs="11")
    register.execute(
        "UPDATE avis SET claim_token = NULL, lease_until = NULL WHERE id = :id", id=ids[3]
    )
    # No hash of facts stays for an avis that the batch no longer holds.
    forgotten = "SELECT FROM review_batch_lines WHERE facts_hash IS NULL"
    desk.until(lambda: len(register.rows(forgotten)) == 1)
    server.does.status = "completed"
    desk.until(lambda: desk.states() == ["completed"])
    outcomes = [register.avis(id_)["outcome"] for id_ in ids]
    assert outcomes == [
        "skipped_non_diffusible",
        "skipped_opposition",
        "pending",
        "pending",
        "accepted",
    ]
    kept = {row["avis_id"]: row["reasons"] for row in desk.attempts()}
    assert kept == {ids[2]: ["facts_changed"], ids[3]: ["lease_lost"], ids[4]: []}
    assert desk.paid() == (5 * EACH_EUR, 0)
    assert desk.due() == 2


def test_two_processes_that_collect_the_same_batch_store_it_once(
    make: Make, register: "Register", server: BatchServer
) -> None:
    """A process that seemed dead comes back in the middle."""
    desk = make()
    desk.work(register.add(range(1, 31), apart=True))
    server.does.status = "in_progress"
    desk.until(lambda: desk.states() == ["submitted"])
    server.does.status = "completed"
    others = [desk, make()]
    register.execute("UPDATE review_batches SET next_at = now()")
    job = jobs.take(desk.engine, "batcher", lease_seconds=60)
    assert job is not None
    start = threading.Barrier(2)

    def advance(one: Desk) -> None:
        [(_, [steps])] = one.batches.routes
        start.wait()
        steps.advance(job)

    threads = [threading.Thread(target=advance, args=[one]) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    register.execute("UPDATE review_batches SET next_at = now()")
    desk.until(lambda: desk.states() == ["completed"])
    assert desk.outcomes() == {"accepted": 30}
    assert len(desk.attempts()) == 30
    assert desk.paid() == (30 * EACH_EUR, 0)
