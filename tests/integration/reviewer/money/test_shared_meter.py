"""Replicas, each a process, share limits and money at a server that counts."""

import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Engine, text

from services.reviewer.money.budget import Budget
from services.reviewer.money.rate_limits import open_providers
from services.reviewer.money.shared_meter import SharedMeter
from services.reviewer.providers.limits import CallLimit
from services.reviewer.providers.settings import TokenUsage
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.errors import SlowDown
from shared.metrics import Metrics
from shared.money.due import read_providers_known
from tests.integration.reviewer.avis_command import provider_of
from tests.integration.reviewer.chat_reviews import FREE
from tests.local_server import served

_SCRIPT = Path(__file__).with_name("metered_callers.py")
_ROOT = Path(__file__).resolve().parents[4]
Replicas = Callable[..., list[dict[str, Any]]]


class Counting(ThreadingHTTPServer):
    """Notes the time and the tokens of each request."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[float, int]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def most(self, seconds: float) -> tuple[int, int]:
        """Return the most requests and the most tokens in any span of these seconds."""
        most_requests, most_tokens, first, tokens = 0, 0, 0, 0
        seen = sorted(self.seen)
        for number, (at, taken) in enumerate(seen):
            tokens += taken
            while seen[first][0] <= at - seconds:
                tokens -= seen[first][1]
                first += 1
            most_requests = max(most_requests, number - first + 1)
            most_tokens = max(most_tokens, tokens)
        return most_requests, most_tokens


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Counting)
        [tokens] = parse_qs(urlsplit(self.path).query)["tokens"]
        self.server.seen.append((time.monotonic(), int(tokens)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Counting]:
    counting = Counting()
    with served(counting):
        yield counting


@pytest.fixture
def replicas(database_url: str) -> Replicas:
    """Run processes of `metered_callers.py` to their end."""

    def run(**order: Any) -> list[dict[str, Any]]:
        provider = provider_of(**order.pop("provider", {})).model_dump(mode="json")
        done = subprocess.run(
            [
                *(sys.executable, str(_SCRIPT)),
                json.dumps({"database_url": database_url, "provider": provider, **order}),
            ],
            cwd=_ROOT,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            capture_output=True,
            text=True,
            timeout=160,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    return run


@pytest.fixture
def budget(engine: Engine) -> Budget:
    return Budget(engine)


@pytest.fixture
def meter(engine: Engine, clock: Clock, metrics: Metrics) -> SharedMeter:
    meter = SharedMeter(engine, [provider_of()], clock, metrics, patience_seconds=0.3)
    meter.open()
    return meter


def column(engine: Engine, query: str) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(query)).scalar_one()


def test_twelve_racing_replicas_never_overshoot_the_cap_and_use_it_up(
    replicas: Replicas, budget: Budget
) -> None:
    budget.resume(cap_eur=Decimal(5), keep_cap=False)
    most: list[Decimal] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.02):
            state = budget.read()
            most.append(state.spent_eur + state.reserved_eur)

    watching = threading.Thread(target=watch)
    watching.start()
    # At most 20 tokens a call, 7 to 20 used: about 370 calls fit.
    spent = replicas(processes=12, threads=4, tokens=20, cost_eur="0.02", used=[20, 7, 11, 14])
    stop.set()
    watching.join()
    state = budget.read()
    assert max(most) <= 5
    assert (state.status, state.paused_because, state.reserved_eur) == ("paused", "cap", Decimal(0))
    assert state.spent_eur == sum(Decimal(each["spent"]) for each in spent)
    assert Decimal("4.98") < state.spent_eur <= 5
    assert len(spent) == 12
    # Each caller was told to stop; nothing failed.
    assert sum(each["reached"] for each in spent) == 48
    assert sum(each["calls"] for each in spent) > 250


@pytest.mark.parametrize("processes", [pytest.param(2, marks=pytest.mark.slow), 4])
def test_replicas_share_the_requests_of_a_minute(
    replicas: Replicas, server: Counting, processes: int
) -> None:
    limits = {"price": FREE, "requests_per_minute": 1200}
    replicas(
        provider=limits,
        processes=processes,
        threads=4,
        seconds=2,
        tokens=1,
        cost_eur="0",
        used=[1],
        server=server.url,
    )
    elapsed_seconds = max(server.seen)[0] - min(server.seen)[0]
    # 20 a second, and some more on a busy machine. Without a shared limit there would be at least
    # twice as many.
    assert len(server.seen) <= 20 * (elapsed_seconds + 1)
    # The limit is used, too: far fewer requests would also stay below it.
    assert len(server.seen) > 20


def test_replicas_share_the_tokens_of_a_minute_and_give_back_what_was_not_used(
    replicas: Replicas, server: Counting
) -> None:
    # 1000 tokens a second; a call reserves 400 and uses 100. Without giving back: 2.5 calls/s.
    limits = {"price": FREE, "tokens_per_minute": 60_000}
    replicas(
        provider=limits,
        processes=2,
        threads=4,
        seconds=2,
        tokens=400,
        cost_eur="0",
        used=[100],
        server=server.url,
    )
    elapsed_seconds = max(server.seen)[0] - min(server.seen)[0]
    tokens = sum(taken for _, taken in server.seen)
    # One call more, the credit of an idle moment, and the tokens that calls in flight give back.
    assert tokens <= 1000 * (elapsed_seconds + 2.5) + 400
    assert len(server.seen) > 2.5 * (elapsed_seconds + 1.5) + 2


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 4])
def test_no_minute_at_the_server_holds_more_than_the_limits_of_all_replicas(
    replicas: Replicas, server: Counting, processes: int
) -> None:
    limits = {"price": FREE, "requests_per_minute": 600, "tokens_per_minute": 60_000}
    replicas(
        provider=limits,
        processes=processes,
        threads=50 // processes,
        seconds=100,
        tokens=150,
        cost_eur="0",
        used=[40, 90, 150],
        server=server.url,
    )
    requests, tokens = server.most(60.0)
    print(f"{processes} replicas: {requests} of 600 requests, {tokens} of 60 000 tokens")  # noqa: T201  # the ratio is the result
    assert requests <= 600
    assert tokens <= 60_000
    # The limits are used, too: far fewer requests would also stay below them.
    assert requests > 400


def test_nothing_that_costs_is_asked_for_before_somebody_names_a_cap(
    meter: SharedMeter, budget: Budget
) -> None:
    meter.settle(meter.reserve(provider_of(), tokens=10, cost_eur=Decimal(0)), None)
    with pytest.raises(SlowDown) as raised:
        meter.reserve(provider_of(), tokens=10, cost_eur=Decimal("0.01"))
    assert raised.value.reason == CallLimit.BUDGET_REACHED
    state = budget.read()
    assert (state.status, state.paused_because, state.spent_eur) == ("paused", "cap", Decimal(0))


def test_a_call_is_settled_once_however_often_it_is_told(
    meter: SharedMeter, budget: Budget, engine: Engine
) -> None:
    budget.resume(cap_eur=Decimal(1), keep_cap=False)
    reservation = meter.reserve(provider_of(), tokens=500, cost_eur=Decimal("0.5"))
    assert budget.read().reserved_eur == Decimal("0.5")
    for _ in range(3):
        meter.settle(reservation, TokenUsage(tokens_in=300, tokens_out=0))
    state = budget.read()
    assert (state.reserved_eur, state.spent_eur) == (Decimal(0), Decimal("0.3"))
    assert column(engine, "SELECT spent_eur FROM review_providers") == Decimal("0.3")


def test_a_call_that_was_not_billed_costs_nothing(meter: SharedMeter, budget: Budget) -> None:
    budget.resume(cap_eur=Decimal(1), keep_cap=False)
    meter.settle(meter.reserve(provider_of(), tokens=500, cost_eur=Decimal("0.5")), None)
    state = budget.read()
    assert (state.reserved_eur, state.spent_eur) == (Decimal(0), Decimal(0))


def test_a_killed_process_leaves_a_reservation_that_counts_as_spent_in_the_end(
    replicas: Replicas, budget: Budget, engine: Engine
) -> None:
    budget.resume(cap_eur=Decimal(1), keep_cap=False)
    replicas(processes=1, threads=1, tokens=500, cost_eur="0.5", used=[300], dies=True)
    assert budget.expire() == 0
    assert budget.read().reserved_eur == Decimal("0.5")
    with engine.begin() as connection:
        connection.execute(text("UPDATE review_reservations SET expires_at = now()"))
    assert [budget.expire(), budget.expire()] == [1, 0]
    state = budget.read()
    assert (state.reserved_eur, state.spent_eur) == (Decimal(0), Decimal("0.5"))
    assert column(engine, "SELECT spent_eur FROM review_providers") == Decimal("0.5")


def test_a_call_settled_after_it_was_given_up_costs_what_it_did_cost(
    meter: SharedMeter, budget: Budget, engine: Engine
) -> None:
    budget.resume(cap_eur=Decimal(1), keep_cap=False)
    reservation = meter.reserve(provider_of(), tokens=500, cost_eur=Decimal("0.5"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE review_reservations SET expires_at = now()"))
    assert budget.expire() == 1
    meter.settle(reservation, TokenUsage(tokens_in=300, tokens_out=0))
    state = budget.read()
    assert (state.reserved_eur, state.spent_eur) == (Decimal(0), Decimal("0.3"))
    assert column(engine, "SELECT spent_eur FROM review_providers") == Decimal("0.3")


def test_a_settlement_that_finds_no_database_is_made_up_for_and_costs_no_text(
    meter: SharedMeter, budget: Budget
) -> None:
    budget.resume(cap_eur=Decimal(1), keep_cap=False)
    reservation = meter.reserve(provider_of(), tokens=500, cost_eur=Decimal("0.5"))
    meter._budget = Budget(
        make_engine("postgresql://nobody@127.0.0.1:9/none", application_name="x")
    )
    meter.settle(reservation, TokenUsage(tokens_in=300, tokens_out=0))
    meter._state_read_at = -math.inf
    with pytest.raises(SlowDown):
        meter.reserve(provider_of(), tokens=1, cost_eur=Decimal("0.001"))
    meter._budget = budget
    meter.settle_left_over()
    state = budget.read()
    assert (state.reserved_eur, state.spent_eur) == (Decimal(0), Decimal("0.3"))


def test_calls_under_way_that_may_leave_room_are_waited_for_before_the_run_pauses(
    meter: SharedMeter, budget: Budget
) -> None:
    budget.resume(cap_eur=Decimal(1), keep_cap=False)
    first = meter.reserve(provider_of(), tokens=900, cost_eur=Decimal("0.9"))
    with pytest.raises(SlowDown):
        meter.reserve(provider_of(), tokens=200, cost_eur=Decimal("0.2"))
    assert budget.read().status == "running"
    meter.settle(first, TokenUsage(tokens_in=500, tokens_out=0))
    meter.reserve(provider_of(), tokens=200, cost_eur=Decimal("0.2"))


def test_a_wait_for_a_slot_ends_when_the_process_is_asked_to_stop(
    engine: Engine, clock: Clock, metrics: Metrics
) -> None:
    slow = provider_of(requests_per_minute=1)
    meter = SharedMeter(engine, [slow], clock, metrics)
    meter.open()
    meter.reserve(slow, tokens=1, cost_eur=Decimal(0))
    threading.Timer(0.2, clock.stopping.set).start()
    started = time.monotonic()
    with pytest.raises(SlowDown):
        meter.reserve(slow, tokens=1, cost_eur=Decimal(0))
    assert time.monotonic() - started < 10


def test_a_row_written_by_a_clock_ahead_of_now_does_not_hold_everybody_for_years(
    engine: Engine, clock: Clock, metrics: Metrics
) -> None:
    limited = provider_of(requests_per_minute=600)
    meter = SharedMeter(engine, [limited], clock, metrics, patience_seconds=5)
    meter.open()
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE review_providers SET requests_arrival_at = now() + interval '1 year'")
        )
    meter.reserve(limited, tokens=1, cost_eur=Decimal(0))


def test_another_price_of_the_same_provider_keeps_what_it_has_spent(
    meter: SharedMeter, budget: Budget, engine: Engine, clock: Clock, metrics: Metrics
) -> None:
    budget.resume(cap_eur=Decimal(1), keep_cap=False)
    reservation = meter.reserve(provider_of(), tokens=500, cost_eur=Decimal("0.5"))
    meter.settle(reservation, TokenUsage(tokens_in=300, tokens_out=0))
    free = provider_of().model_copy(update={"price": FREE})
    SharedMeter(engine, [free], clock, metrics).open(prompt_version="notice-3")
    row = "SELECT (spent_eur, charges, prompt_version)::text FROM review_providers"
    assert column(engine, row) == "(0.30000000,f,notice-3)"


def test_a_provider_that_is_asked_no_more_is_not_listed_and_keeps_what_it_has_spent(
    meter: SharedMeter, budget: Budget, engine: Engine
) -> None:
    budget.resume(cap_eur=Decimal(1), keep_cap=False)
    reservation = meter.reserve(provider_of(), tokens=500, cost_eur=Decimal("0.5"))
    open_providers(engine, [provider_of(name="other")], prompt_version="notice-3")
    meter.settle(reservation, TokenUsage(tokens_in=300, tokens_out=0))
    row = "SELECT (listed, spent_eur)::text FROM review_providers WHERE name = 'dear'"
    assert column(engine, row) == "(f,0.30000000)"
    with engine.connect() as connection:
        assert [known.name for known in read_providers_known(connection)] == ["other"]
