"""Spoiled answers from a real server to the reviewer as it is built: each avis ends, paid once."""

import itertools
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from services.reviewer.money.budget import Budget
from services.reviewer.providers import trust
from shared.metrics import Metrics
from tests.conditions import wait_until
from tests.fuzz.cases import Fuzz
from tests.fuzz.chats import make_body
from tests.integration.reviewer.chat_server import Response, chat_server, text
from tests.integration.reviewer.conftest import Register
from tests.integration.reviewer.reviewers import reviewer_at_work, write_providers


@pytest.mark.timeout(900)
def test_each_due_avis_ends_once_and_the_ledger_equals_the_bill(
    fuzz: Fuzz,
    engine: Engine,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two of three calls meet a spoiled body; the server itself is well.

    A body that bills too much takes the server out of use, here for a moment.
    """
    for name in ("FIRST_DOUBT_SECONDS", "MOST_DOUBT_SECONDS", "TRIAL_SECONDS"):
        monkeypatch.setattr(trust, name, 1.0)
    register, budget = Register(engine), Budget(engine)
    budget.resume(cap_eur=None, keep_cap=False)
    tally, generators = fuzz.some("avis, by a server", 20)
    register.add(range(1, len(generators) + 1), apart=True)
    calls, lock = itertools.count(), threading.Lock()

    def respond(_: dict[str, Any]) -> Response:
        with lock:
            call = next(calls)
            rng = generators[call % len(generators)]
            return Response(make_body(rng) if call % 3 else text())

    with chat_server(respond) as server:
        file = write_providers(tmp_path / "providers.toml", server.base_url, timeout_seconds=2)
        with reviewer_at_work(
            database_url, Metrics(), avis_providers_file=file, reviewer_generators=8
        ):
            pending = "SELECT 1 FROM avis WHERE outcome = 'pending' LIMIT 1"
            wait_until(lambda: not register.rows(pending), seconds=600)
            wait_until(lambda: budget.read().reserved_eur == 0, seconds=30)
    attempts = register.rows("SELECT avis_id, accepted, reasons, cost_eur FROM avis_attempts")
    assert all(row["reasons"] for row in attempts if not row["accepted"]), "each says why"
    accepted = [row["avis_id"] for row in attempts if row["accepted"]]
    assert len(accepted) == len(set(accepted)) == len(generators)
    assert budget.read().spent_eur == sum((row["cost_eur"] for row in attempts), Decimal(0))
    for row in register.rows("SELECT model, outcome FROM avis"):
        tally.counts[
            f"{row['outcome']}: {'template' if row['model'] == 'template' else 'model'}"
        ] += 1
    assert len(tally.counts) > 1 or len(generators) < 100
