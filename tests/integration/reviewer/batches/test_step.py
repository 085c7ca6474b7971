"""Batches over a server that the test controls, and a real PostgreSQL."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from services.reviewer.actors import ShardReviewer
from services.reviewer.batches import holds, jobs
from services.reviewer.batches.client import BatchClient
from services.reviewer.batches.figures import read_batched, read_load
from services.reviewer.batches.loop import Batches, make_steps
from services.reviewer.commands.due import count_under_way, read_made
from services.reviewer.money.budget import Budget
from services.reviewer.money.rate_limits import open_providers
from services.reviewer.notices import template
from services.reviewer.providers.batch_route import BatchRoute
from services.reviewer.providers.choice import ProviderChoice, Providers
from services.reviewer.providers.prompt import read_prompt
from services.reviewer.providers.settings import Batch, Provider, TokenUsage, read_providers
from services.reviewer.relay import forget_publications
from services.reviewer.texts.author import Author, Generator
from services.reviewer.validation import validate
from shared.clock import Clock
from shared.db.tables import etablissements, unites_legales
from shared.errors import SlowDown, UserError
from shared.metrics import Metrics
from tests.integration.reviewer.batch_server import (
    USAGE,
    BatchServer,
    Behaviour,
    answered,
    batch_server,
    expired,
    failed,
)
from tests.integration.reviewer.chat_reviews import PRICE, provider
from tests.integration.reviewer.chat_server import text

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

EACH_EUR = PRICE.cost_eur(TokenUsage(tokens_in=USAGE["prompt_tokens"], tokens_out=60))


@dataclass
class Desk:
    """A reviewer's actor and its loop over batches, one step at a time."""

    engine: Engine
    reviewer: ShardReviewer
    batches: Batches
    line: BatchRoute
    server: BatchServer
    register: "Register"

    def work(self, ids: list[int]) -> None:
        """Let avis wait for a batch, as a message does."""
        self.batches.step()
        self.reviewer.work(ids)

    def until(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "not reached in time"
            self.batches.step()
            time.sleep(0.02)

    def outcomes(self) -> dict[str, int]:
        found = self.register.rows("SELECT outcome FROM avis")
        return Counter(row["outcome"] for row in found)

    def states(self) -> list[str]:
        return [row["state"] for row in self.register.rows("SELECT * FROM review_batches")]

    def attempts(self) -> list[Any]:
        return self.register.rows("SELECT * FROM avis_attempts ORDER BY id")

    def due(self) -> int:
        """Return the avis that the relay would send."""
        query = "SELECT FROM avis WHERE outcome = 'pending' AND lease_until IS NULL"
        return len(self.register.rows(query))

    def paid(self) -> tuple[Any, Any]:
        """Return what was spent, and what is still set aside."""
        state = Budget(self.engine).read()
        return state.spent_eur, state.reserved_eur


Make = Callable[..., Desk]


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with batch_server() as running:
        yield running


@pytest.fixture
def make(register: "Register", engine: Engine, server: BatchServer) -> Iterator[Make]:
    pools: list[ThreadPoolExecutor] = []

    def make_desk(**settings: Any) -> Desk:
        batch = Batch(size=50, poll_seconds=0.1, linger_seconds=0)
        values = {"timeout_seconds": 1, "batch": batch, **settings}
        one: Provider = provider(server.base_url, "batcher", **values)
        assert one.batch is not None
        clock, metrics, prompt = Clock(), Metrics(), read_prompt()
        line = BatchRoute(one)
        pools.append(ThreadPoolExecutor(2))
        author = Author(
            Generator(template.MODEL, template.PROMPT_VERSION, template.generate),
            lambda written, facts: validate(written, facts).reasons,
            clock.monotonic_seconds,
            choice=ProviderChoice(Providers([line], clock, outage_seconds=600), prompt),
            metrics=metrics,
        )
        reviewer = ShardReviewer(
            engine=engine,
            generators=pools[-1],
            author=author,
            clock=clock,
            metrics=metrics,
            lease_seconds=60,
            sole_traders=False,
        )
        open_providers(engine, [one], prompt_version=prompt.version)
        steps_by_shard = make_steps(BatchClient(one, one.batch), [reviewer], engine, prompt)
        batches = Batches(engine, [reviewer], [(line, steps_by_shard)], clock, metrics)
        return Desk(engine, reviewer, batches, line, server, register)

    Budget(engine).resume(keep_cap=False)
    yield make_desk
    for pool in pools:
        pool.shutdown()


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
    assert {(row["provider"], row["tokens_in"]) for row in attempts} == {("batcher", 900)}
    assert {row["cost_eur"] for row in attempts} == {EACH_EUR}
    assert desk.paid() == (20 * EACH_EUR, 0)
    [known] = register.rows("SELECT calls, spent_eur, max_parallel FROM review_providers")
    assert dict(known) == {"calls": 20, "spent_eur": 20 * EACH_EUR, "max_parallel": 500}
    assert register.rows("SELECT FROM review_batch_lines") == []
    assert register.rows("SELECT FROM review_batch_holds") == []
    [one] = register.rows("SELECT label, digital_source_type, text FROM avis LIMIT 1")
    assert "rédigée par IA" in one["label"]
    assert "ATELIER DUPONT" in one["text"]
    sent = str(server.asked)
    assert "DUPONT" not in sent
    assert "BORDEAUX" not in sent
    assert len(read_made([desk.engine])) == 20


def test_a_refused_text_is_asked_for_twice_more_with_its_codes_then_the_template_writes(
    make: Make, register: "Register", server: BatchServer
) -> None:
    server.does.answer = lambda request: [answered(request, text("Un texte très court."))]
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    desk.until(lambda: desk.outcomes() == {"accepted": 3})
    desk.until(lambda: desk.states() == ["completed"] * 3)
    assert len(server.asked) == 9
    prompts = [str(request["body"]) for request in server.asked]
    assert ["name_missing" in prompt for prompt in prompts] == [False] * 3 + [True] * 6
    attempts = desk.attempts()
    assert len(attempts) == 12
    assert sum(row["accepted"] for row in attempts) == 3
    assert {row["provider"] for row in attempts if row["accepted"]} == {None}
    assert desk.paid() == (9 * EACH_EUR, 0)


def test_an_answer_that_breaks_the_validation_is_logged_with_its_avis_and_counts_as_refused(
    make: Make, register: "Register", monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(text: str, _facts: object) -> str:
        raise KeyError(text)

    monkeypatch.setattr("services.reviewer.batches.results.fill", broken)
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
        desk.until(desk.line.gate.usable)
    assert waits[0] > 600
    assert waits[1] > 1.5 * waits[0]
    assert waits[2] > 1.2 * waits[1]
    # No avis goes to a server that is out of use: other servers may write it.
    desk.line.gate.set(room=50, closed_seconds=9)
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


def test_answers_that_are_cut_are_collected_again(
    make: Make, register: "Register", server: BatchServer
) -> None:
    server.does.contents = ["cut", "cut"]
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    desk.until(lambda: desk.outcomes() == {"accepted": 3})
    assert len(desk.attempts()) == 3
    assert desk.paid()[0] == 3 * EACH_EUR


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
    ids = register.add(range(1, 4), apart=True)
    desk.work(ids)
    desk.until(lambda: desk.states() == ["lost"])
    spent, reserved = desk.paid()
    assert spent > 3 * EACH_EUR
    assert reserved == 0
    assert desk.due() == 3
    desk.until(desk.line.gate.usable)
    desk.work(ids)
    desk.until(lambda: desk.outcomes() == {"accepted": 3})


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
    assert spent == written * Decimal("0.96")
    assert Budget(engine).read().paused_because == "cap"
    Budget(engine).resume(keep_cap=False)
    desk.until(lambda: desk.outcomes() == {"accepted": 20})


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


def test_two_processes_never_submit_the_same_batch(
    make: Make, register: "Register", server: BatchServer, engine: Engine
) -> None:
    desk = make()
    desk.work(register.add(range(1, 4), apart=True))
    [(_, [steps])] = desk.batches.routes
    assert steps.builder.build(engine, left_eur=None, only=None).texts == 3
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
        holds.settle(engine, key, spent_eur=Decimal(1), reserved_eur=Decimal(5), calls=3)
    state = budget.read()
    assert (state.spent_eur, state.reserved_eur) == (Decimal(1), Decimal(5))
    for _ in range(2):
        holds.end(engine, key, spent_eur=Decimal(2), calls=4)
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
