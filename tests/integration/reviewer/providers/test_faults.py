"""Faults of a chat server: every due avis ends, none is lost, none is charged twice.

The tests run the reviewer as it is built, from the due row to the stored text.
"""

import functools
import itertools
import threading
import time
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine

from services.reviewer.money.budget import Budget
from shared.clock import Clock
from shared.metrics import Metrics
from tests import conditions
from tests.integration.reviewer.chat_server import Response, chat_server, completion, text
from tests.integration.reviewer.reviewers import reviewer_at_work, write_providers

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

FAULTS = {
    "no JSON": Response(b"<html>nginx</html>"),
    "an error object": Response(b'{"error": {"code": 502}}'),
    "an end by an error": Response(text(finish_reason="error")),
    "a gateway's limit": Response(status=504),
    "half an object": Response(completion('{"phrases": [{"texte": "Une ent')),
    "empty": Response(completion(None)),
    "truncated": Response(text(finish_reason="length")),
    "refused in words": Response(text("Je suis désolé, je ne peux pas rédiger cela.")),
    "filtered": Response(text(finish_reason="content_filter")),
    "cut off": Response(cut=True),
    "half a body": Response(text()[:100], headers={"Content-Length": "2000"}),
    "500": Response(status=500),
    "503": Response(status=503, headers={"Retry-After": "0.2"}),
    "hangs": Response(text(), wait_seconds=2),
    "drips": Response(b"{", drip=True),
}
_THROTTLED = "SELECT FROM review_providers WHERE throttled_since IS NOT NULL"
TOO_MANY = Response(status=429, headers={"Retry-After": "0.3"})
# A fault meets at most this many texts at once; each of them may fall to the template.
GENERATORS = 8


wait_until = functools.partial(conditions.wait_until, seconds=120)


def pending(register: "Register") -> int:
    return len(register.rows("SELECT 1 FROM avis WHERE outcome = 'pending'"))


def accepted_by(register: "Register") -> Counter[str]:
    rows = register.rows("SELECT model FROM avis WHERE outcome = 'accepted'")
    return Counter(row["model"] for row in rows)


def require_each_ended_once_and_paid_once(register: "Register", budget: Budget, count: int) -> None:
    """Require one accepted attempt for each avis, and a ledger that equals the bill."""
    assert accepted_by(register).total() == count
    attempts = register.rows("SELECT avis_id, accepted, reasons, cost_eur FROM avis_attempts")
    accepted = [row["avis_id"] for row in attempts if row["accepted"]]
    assert len(accepted) == len(set(accepted)) == count
    assert all(row["reasons"] for row in attempts if not row["accepted"]), "each says why"
    wait_until(lambda: budget.read().reserved_eur == 0, seconds=10)
    spent = sum((row["cost_eur"] for row in attempts), Decimal(0))
    assert budget.read().spent_eur == spent
    assert register.rows("SELECT 1 FROM failed_items WHERE resolved_at IS NULL") == []


@pytest.fixture
def budget(engine: Engine) -> Budget:
    budget = Budget(engine)
    budget.resume(cap_eur=None, keep_cap=False)
    return budget


def test_through_every_fault_each_avis_ends_once_and_is_paid_once(
    register: "Register", database_url: str, metrics: Metrics, budget: Budget, tmp_path: Path
) -> None:
    """Every third call meets the next fault; 429s come between them."""
    count = 60
    register.add(range(1, count + 1), apart=True)
    faults = itertools.cycle([*FAULTS.values(), TOO_MANY])
    calls = itertools.count(1)
    lock = threading.Lock()

    def respond(_: dict[str, Any]) -> Response:
        with lock:
            return next(faults) if next(calls) % 3 == 0 else Response(text())

    with chat_server(respond) as server:
        file = write_providers(tmp_path / "providers.toml", server.base_url, timeout_seconds=1)
        with reviewer_at_work(
            database_url, metrics, avis_providers_file=file, reviewer_generators=GENERATORS
        ):
            wait_until(lambda: pending(register) == 0)
        met = len(server.requests) // 3
    assert met > len(FAULTS), "every fault was met"
    require_each_ended_once_and_paid_once(register, budget, count)
    assert accepted_by(register)["m"] > count // 2
    unanswered = register.rows("SELECT cost_eur FROM avis_attempts WHERE unanswered > 0")
    assert unanswered, "what a try without an answer may have cost is marked"
    assert all(row["cost_eur"] > 0 for row in unanswered)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_does_nothing_else_leaves_the_texts_to_the_template(
    register: "Register",
    database_url: str,
    metrics: Metrics,
    budget: Budget,
    tmp_path: Path,
    fault: str,
) -> None:
    register.add(range(1, 13), apart=True)
    with chat_server(lambda _: FAULTS[fault]) as server:
        file = write_providers(tmp_path / "providers.toml", server.base_url, timeout_seconds=1)
        with reviewer_at_work(
            database_url,
            metrics,
            avis_providers_file=file,
            avis_outage_seconds=1,
            reviewer_generators=20,
        ):
            wait_until(lambda: pending(register) == 0)
    assert accepted_by(register) == {"template": 12}
    require_each_ended_once_and_paid_once(register, budget, 12)


def test_a_server_that_only_says_429_leaves_every_avis_due_and_free(
    register: "Register", database_url: str, metrics: Metrics, budget: Budget, tmp_path: Path
) -> None:
    """A server that answers 429 works: this is no outage, and the texts wait for it."""
    count = 12
    register.add(range(1, count + 1), apart=True)
    with chat_server(lambda _: TOO_MANY) as server:
        file = write_providers(tmp_path / "providers.toml", server.base_url, timeout_seconds=1)
        with reviewer_at_work(
            database_url,
            metrics,
            avis_providers_file=file,
            avis_outage_seconds=1,
            reviewer_generators=20,
        ):
            wait_until(lambda: len(server.requests) >= 4)
            assert pending(register) == count
            assert register.rows("SELECT 1 FROM avis_attempts") == []
            assert budget.read().spent_eur == 0
            wait_until(lambda: register.rows(_THROTTLED))
            server.respond = lambda _: Response(text())
            wait_until(lambda: pending(register) == 0)
    assert accepted_by(register) == {"m": count}
    assert register.rows(_THROTTLED) == []
    require_each_ended_once_and_paid_once(register, budget, count)


@dataclass(frozen=True)
class Hurried(Clock):
    """A clock whose hour takes a minute."""

    def wait(self, seconds: float) -> bool:
        return super().wait(seconds / HURRY)


HURRY = 60
HOUR_SECONDS = 3600


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_an_hour_without_the_server_costs_nothing_and_loses_nothing(
    register: "Register", database_url: str, metrics: Metrics, budget: Budget, tmp_path: Path
) -> None:
    """Here texts may wait for a day; by default templates write them after ten minutes."""
    count = 150
    register.add(range(1, count + 1), apart=True)
    clock = Hurried(monotonic_seconds=lambda: HURRY * time.monotonic())

    def respond(_: dict[str, Any]) -> Response:
        return Response(text(), wait_seconds=0.1)

    with chat_server(respond) as server:
        port = server.server_address[1]
        # These are the reviewer's seconds: half a real one.
        file = write_providers(tmp_path / "providers.toml", server.base_url, timeout_seconds=30)
    settings = {"reviewer_generators": GENERATORS, "avis_outage_seconds": 86_400}
    with reviewer_at_work(database_url, metrics, avis_providers_file=file, clock=clock, **settings):
        with chat_server(respond, port=port):
            wait_until(lambda: accepted_by(register).total() >= 10)
        gone_at = clock.monotonic_seconds()
        wait_until(lambda: asked(metrics) > 0 and busy(metrics) == 0)
        # Once the texts under way are stored, other texts ask again.
        found_nobody = asked(metrics) + 3
        wait_until(lambda: asked(metrics) >= found_nobody)
        left, spent = pending(register), budget.read().spent_eur
        assert left > count // 2
        asked_before = asked(metrics)
        while clock.monotonic_seconds() < gone_at + HOUR_SECONDS:
            time.sleep(0.5)
            assert pending(register) == left, "they stay due"
        assert budget.read().spent_eur == spent
        tries = asked(metrics) - asked_before
        with chat_server(respond, port=port):
            wait_until(lambda: pending(register) == 0)
    print(f"{left} avis waited an hour, {tries:.0f} calls found nobody")  # noqa: T201  # the count is a result
    assert tries < HOUR_SECONDS / 20
    require_each_ended_once_and_paid_once(register, budget, count)
    # These were being asked for when the server went away.
    assert accepted_by(register)["template"] <= 2 * GENERATORS


def asked(metrics: Metrics) -> float:
    """Count the calls that failed."""
    labels = {"provider": "local", "outcome": "failed"}
    return metrics.registry.get_sample_value("sirenade_chat_calls_total", labels) or 0


def busy(metrics: Metrics) -> float:
    return metrics.registry.get_sample_value("sirenade_generators_busy") or 0
