"""`avis run --sample`: a sample first, with its bill; the rest waits for a word."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from services.reviewer.money.budget import Budget
from services.reviewer.relay import Relay
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.metrics import Metrics
from shared.money.budget import ASKED
from tests.integration.reviewer.avis_command import Call
from tests.integration.reviewer.commands.conftest import AtWork, interrupted_at_the_sample

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register


def test_a_sample_is_made_shown_with_its_bill_and_the_rest_waits_for_a_word(
    register: "Register", call: Call, budget: Budget, reviewer: AtWork
) -> None:
    register.add(range(1, 31))
    with reviewer():
        done = call("run", "--sample", "3", "--cap", "5", "--json")
        assert done.returncode == 0, done.stderr
        [before, after] = done.events("forecast")
        assert (before["texts"], before["unsampled"]) == (30, ["dear"])
        texts = done.events("text")
        assert len(texts) == 3
        for text in texts:
            assert text["outcome"] == "accepted"
            assert text["facts"]["nom"] in text["text"].upper()
            assert [attempt["cost_eur"] for attempt in text["attempts"]] == ["0.00800000"]
        assert (after["texts"], Decimal(after["eur"])) == (27, Decimal("0.216"))
        [end] = done.events("end")
        assert (end["status"], end["paused_because"]) == ("paused", "sample")
        # The reviewer still runs and makes nothing.
        assert budget.read().spent_eur == Decimal("0.024")
        assert len(register.rows("SELECT FROM avis WHERE outcome = 'pending'")) == 27
        going = call("run", "--cap", "5", "--json")
        assert going.returncode == 0, going.stderr
    assert register.rows("SELECT FROM avis WHERE outcome <> 'accepted'") == []
    assert budget.read().spent_eur == Decimal("0.24")
    last = going.events("progress")[-1]
    assert (last["due"], last["fallback_share"], last["re_asked_share"]) == (0, 0, 0)
    assert Decimal(last["projected_eur"]) == Decimal("0.24")


def test_what_was_claimed_before_a_sample_ends_before_the_sample_begins(
    register: "Register", database_url: str, budget: Budget, desk: "Desk", reviewer: AtWork
) -> None:
    """A text that a reviewer has claimed would be made as soon as there is money."""
    ids = register.add(range(1, 21))
    claims = desk.claim(ids[:5])
    budget.resume(cap_eur=Decimal(5), keep_cap=False)
    environment = {**os.environ, "SIRENADE_DATABASE_URL": database_url}
    command = (sys.executable, "-m", "services.reviewer", "avis", "run", "--sample", "3", "--json")
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        events = (json.loads(line) for line in run.stdout)
        waiting = next(event for event in events if event["event"] == "waiting")
        assert waiting["under_way"] == 5
        assert budget.read().paused
        desk.store(*claims)
        # A reviewer that worked before the pause would have claimed the rest as well.
        with reviewer():
            assert len([event for event in events if event["event"] == "text"]) == 3
    assert run.returncode == 0
    assert len(register.rows("SELECT FROM avis WHERE outcome = 'accepted'")) == 8


@pytest.mark.usefixtures("meter")
def test_a_sample_that_may_cost_nothing_is_refused_before_anything_begins(
    register: "Register", call: Call, budget: Budget
) -> None:
    register.add(range(1, 3))
    done = call("run", "--sample", "2")
    assert done.returncode == 2
    assert "--cap EUR" in done.stderr
    assert budget.read().sample_ids is None


def test_ctrl_c_ends_the_watch_of_a_sample_and_nothing_else_is_made(
    register: "Register", call: Call, budget: Budget
) -> None:
    ids = register.add(range(1, 6))
    with interrupted_at_the_sample(budget):
        assert call("run", "--sample", "2", "--json").returncode == 130
    state = budget.read()
    assert state.status == "running"
    assert len(budget.admitted(ids)) == 2


@pytest.mark.usefixtures("meter")
@pytest.mark.parametrize("paused", [False, True])
def test_a_sample_of_nothing_changes_nothing(call: Call, budget: Budget, paused: bool) -> None:
    if paused:
        budget.pause(ASKED)
    before = replace(budget.read(), changed_at=None)  # type: ignore[arg-type]  # no date
    done = call("run", "--sample", "20", "--cap", "50")
    assert done.returncode == 0, done.stderr
    assert "nothing is due, and nothing changes" in done.stdout
    assert replace(budget.read(), changed_at=None) == before  # type: ignore[arg-type]  # no date


@pytest.mark.usefixtures("meter")
def test_a_sample_whose_texts_end_meanwhile_leaves_the_run_as_it_was(
    register: "Register", database_url: str, budget: Budget, desk: "Desk"
) -> None:
    claims = desk.claim(register.add(range(1, 3)))
    budget.resume(cap_eur=Decimal(5), keep_cap=False)
    environment = {**os.environ, "SIRENADE_DATABASE_URL": database_url}
    options = ("--sample", "3", "--cap", "9", "--json")
    command = (sys.executable, "-m", "services.reviewer", "avis", "run", *options)
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        events = (json.loads(line) for line in run.stdout)
        next(event for event in events if event["event"] == "waiting")
        desk.store(*claims)
        assert [event["status"] for event in events] == ["nothing due"]
    assert run.returncode == 0
    state = budget.read()
    assert (state.status, state.cap_eur, state.sample_ids) == ("running", Decimal(5), None)


@pytest.mark.slow
@pytest.mark.parametrize("shard_urls", [2], indirect=True)
def test_a_register_in_two_databases_has_one_bill_and_one_sample(
    register: "Register",
    call: Call,
    budget: Budget,
    shard_urls: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SIRENADE_SHARD_DATABASE_URLS", ",".join(shard_urls))
    second = make_engine(shard_urls[1], application_name="test")
    ids = [register.add(range(1, 11)), type(register)(second).add(range(101, 104))]
    sent: list[tuple[int, int]] = []
    relay = Relay(
        engine=register.engine,
        shards=[register.engine, second],
        publish=lambda message: sent.extend((message.shard, each) for each in message.avis_ids),
        clock=Clock(),
        metrics=Metrics(),
        high_water=100,
        stall_seconds=900,
    )
    assert call("forecast", "--json").told["texts"] == 13
    budget.resume(cap_eur=Decimal(5), keep_cap=False)
    with interrupted_at_the_sample(budget):
        assert call("run", "--sample", "4", "--json").returncode == 130
    relay.step()
    assert sorted(shard for shard, _ in sent) == [0, 0, 1, 1]
    assert all(avis_id in ids[shard] for shard, avis_id in sent)
    second.dispose()
