"""A paused run stands still and loses nothing; commands pause and resume it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, text

from services.reviewer.actors import ShardReviewer
from services.reviewer.commands.due import mark_due
from services.reviewer.money.budget import Budget
from services.reviewer.money.shared_meter import SharedMeter
from services.reviewer.relay import Relay
from services.reviewer.texts.author import Author
from shared.clock import Clock
from shared.messages import ReviewAvis
from shared.metrics import Metrics
from tests.integration.exported import exported
from tests.integration.reviewer.avis_command import Call, make_call, provider_of

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register

_ROOT = Path(__file__).parents[4]


@pytest.fixture
def budget(engine: Engine) -> Budget:
    return Budget(engine)


@pytest.fixture
def relay(engine: Engine, clock: Clock, metrics: Metrics) -> tuple[Relay, list[int]]:
    sent: list[int] = []

    def publish(message: ReviewAvis) -> None:
        sent.extend(message.avis_ids)

    return (
        Relay(
            engine=engine,
            publish=publish,
            clock=clock,
            metrics=metrics,
            high_water=100,
            stall_seconds=900,
        ),
        sent,
    )


@pytest.fixture
def reviewer(
    engine: Engine, clock: Clock, metrics: Metrics, author: Author
) -> Iterator[ShardReviewer]:
    with ThreadPoolExecutor(2) as generators:
        yield ShardReviewer(
            engine=engine,
            generators=generators,
            author=author,
            clock=clock,
            metrics=metrics,
            lease_seconds=60,
            sole_traders=False,
            admit=Budget(engine).admitted,
        )


@pytest.fixture
def call(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Call:
    return make_call(database_url, monkeypatch)


def test_nothing_leaves_while_the_run_is_paused_and_all_of_it_afterwards(
    register: "Register", relay: tuple[Relay, list[int]], budget: Budget
) -> None:
    ids = register.add(range(1, 31))
    step, sent = relay[0].step, relay[1]
    budget.pause("asked")
    step()
    assert sent == []
    budget.resume()
    step()
    assert sent == ids


def test_only_the_sample_leaves_until_somebody_lets_the_rest_go(
    register: "Register", relay: tuple[Relay, list[int]], budget: Budget
) -> None:
    ids = register.add(range(1, 31))
    step, sent = relay[0].step, relay[1]
    budget.resume(sample_ids=ids[3:6])
    step()
    step()
    assert sent == ids[3:6]
    budget.resume()
    step()
    assert sorted(sent) == ids


def test_messages_of_before_a_pause_are_given_back_unread(
    register: "Register", relay: tuple[Relay, list[int]], reviewer: ShardReviewer, budget: Budget
) -> None:
    ids = register.add(range(1, 4))
    relay[0].step()
    budget.pause("asked")
    reviewer.work(ids)
    rows = register.rows("SELECT DISTINCT outcome, published_at, claim_token, attempts FROM avis")
    [row] = rows
    assert (row["outcome"], row["attempts"]) == ("pending", 0)
    assert row["published_at"] is row["claim_token"] is None
    budget.resume(sample_ids=ids[:1])
    reviewer.work(ids)
    accepted = register.rows("SELECT id FROM avis WHERE outcome = 'accepted'")
    assert [row["id"] for row in accepted] == ids[:1]
    budget.resume()
    relay[0].step()
    reviewer.work(ids)
    assert register.rows("SELECT 1 FROM avis WHERE outcome <> 'accepted'") == []


def test_the_gauges_say_what_the_budget_is(engine: Engine, budget: Budget, clock: Clock) -> None:
    metrics = Metrics()
    meter = SharedMeter(engine, [provider_of()], clock, metrics)
    meter.open()
    budget.resume(cap_eur=Decimal(2), keep_cap=False)
    meter.reserve(provider_of(), tokens=500, cost_eur=Decimal("0.5"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE review_reservations SET expires_at = now()"))
    meter.reserve(provider_of(), tokens=250, cost_eur=Decimal("0.25"))
    budget.pause("asked")
    meter.settle_left_over()
    budget.expire()
    value = exported(engine)

    assert value("budget_cap_euros") == 2
    # The process of the first reservation counts as dead.
    assert (value("budget_spent_euros"), value("budget_reserved_euros")) == (0.5, 0.25)
    assert (value("budget_paused", reason="asked"), value("budget_paused", reason="cap")) == (1, 0)
    assert value("provider_spent_euros", provider="dear") == 0.5
    waits = "sirenade_provider_wait_seconds_count"
    assert metrics.registry.get_sample_value(waits, {"provider": "dear"}) == 2


def test_pause_resume_and_budget_say_where_the_money_is(call: Call) -> None:
    fresh = call("budget", "--json").told
    assert (fresh["status"], fresh["cap_eur"], fresh["spent_eur"]) == (
        "running",
        "0.00000000",
        "0.00000000",
    )
    assert call("pause", "--json").told["paused_because"] == "asked"
    going = call("resume", "--cap", "12,50", "--json").told
    assert (going["status"], Decimal(going["cap_eur"])) == ("running", Decimal("12.5"))
    assert call("resume", "--no-cap", "--json").told["cap_eur"] is None
    assert "without a cap" in call("budget").stdout


def test_the_rate_of_renewals_is_set_and_shown_with_its_end(
    call: Call, register: "Register", desk: "Desk", engine: Engine
) -> None:
    desk.store(*desk.claim(register.add(range(1, 7))))
    register.add(range(7, 8))
    mark_due([engine], "another")
    assert call("budget", "--json").told["renewals"] == {
        "waiting": 6,
        "per_day": None,
        "days": None,
    }
    assert "6 wait, as fast as reviewers make them" in call("budget").stdout
    told = call("budget", "--renewals-per-day", "3", "--json").told["renewals"]
    assert told == {"waiting": 6, "per_day": 3, "days": 2}
    assert "renewals: 6 wait, at most 3 a day begin: 2.0 days, until " in call("budget").stdout
    assert call("forecast", "--json").told["renewals"] == told
    assert "of what is due, renewals: 6 wait" in call("forecast").stdout
    value = exported(engine)
    assert (value("renewals_waiting_avis"), value("renewals_limit_avis")) == (6, 3)

    assert "6 wait, held" in call("budget", "--renewals-per-day", "0").stdout
    assert call("budget", "--renewals-per-day", "none", "--json").told["renewals"]["days"] is None
    assert exported(engine)("renewals_limit_avis") == float("inf")
    for wrong in ("-1", "1.5", "many", "9999999999"):
        assert "renewals a day are a number" in call("budget", "--renewals-per-day", wrong).stderr
    assert call("budget", "--json").told["renewals"]["per_day"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("resume", "--cap", "ten"), "amount of euros"),
        (("resume", "--cap", "-5"), "amount of euros"),
        (("resume", "--cap", "nan"), "amount of euros"),
        (("resume", "--cap", "1e9"), "amount of euros"),
        (("resume", "--cap", "900000000"), "slip of the pen"),
        (("resume", "--cap", "5", "--no-cap"), "exclude each other"),
    ],
    ids=str,
)
def test_an_absurd_cap_is_one_clear_line_and_changes_nothing(
    call: Call, budget: Budget, arguments: tuple[str, ...], words: str
) -> None:
    before = budget.read()
    done = call(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr
    assert budget.read() == before


def test_a_cap_below_what_is_spent_is_refused(
    call: Call, budget: Budget, engine: Engine, clock: Clock, metrics: Metrics
) -> None:
    budget.resume(cap_eur=Decimal(2), keep_cap=False)
    SharedMeter(engine, [provider_of()], clock, metrics).reserve(
        provider_of(), tokens=1500, cost_eur=Decimal("1.5")
    )
    done = call("resume", "--cap", "1")
    assert done.returncode == 2
    assert "1.50 €" in done.stderr
    assert budget.read().cap_eur == 2


def test_without_a_database_a_command_is_one_clear_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services.reviewer", "avis", "budget"],
        cwd=_ROOT,
        env={**os.environ, "SIRENADE_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "the database does not answer" in done.stderr
