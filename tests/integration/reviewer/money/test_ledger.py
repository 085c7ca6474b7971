"""Whatever servers answer, bill and pretend, and whoever dies: the cap holds and the books agree.

Spent and set aside never exceed the cap by more than calls in flight were billed above their
reservation. The ledger by provider, and what callers were told that they paid, equal the budget.
"""

import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, text

from services.reviewer.batches import holds
from services.reviewer.batches.jobs import BatchTotals
from services.reviewer.money.budget import Budget
from services.reviewer.money.shared_meter import SharedMeter
from services.reviewer.providers.bill import Messages
from services.reviewer.providers.call import CallWindow, ProviderClient
from services.reviewer.providers.chat import Chat
from services.reviewer.providers.gate import Gate
from services.reviewer.providers.limits import Reservation
from services.reviewer.providers.settings import Provider, TokenUsage
from shared.clock import Clock
from shared.errors import SlowDown
from shared.metrics import Metrics
from tests.integration.reviewer.chat_reviews import provider
from tests.integration.reviewer.chat_server import (
    ChatServer,
    Response,
    chat_server,
    completion,
    phrases,
)
from tests.sqlstates import error_with

NAMES = ("one", "other")
# A thousand tokens are a euro; a call sets some 1.2 € aside.
PRICE = {"input_eur_per_million": 1000, "output_eur_per_million": 1000}
MESSAGES: Messages = [{"role": "user", "content": "x" * 1200}]
PATIENCE_SECONDS = 0.8
_RESERVED = "SELECT sum(cost_eur) FROM review_reservations WHERE expired_at"

_LIES = st.sampled_from([0, 1, 300, 600, 900, 5_000, 99_999, 100_001, 2**40, -1, None, "many"])
_USAGES = st.none() | st.fixed_dictionaries(
    {"prompt_tokens": _LIES, "completion_tokens": _LIES},
    optional={
        "total_tokens": _LIES,
        "prompt_tokens_details": st.fixed_dictionaries({"cached_tokens": _LIES}),
    },
)
_CONTENTS = st.sampled_from(
    [phrases(), None, "<think>…", f"<think>…</think>{phrases()}", "x" * 9000]
)


def _told(content: object, finish_reason: str, usage: Any, error: Any) -> Response:
    return Response(completion(content, finish_reason=finish_reason, usage=usage, error=error))


_ANSWERS = st.builds(
    _told,
    _CONTENTS,
    st.sampled_from(["stop", "length", "content_filter", "error"]),
    _USAGES,
    st.sampled_from([None, None, None, {"code": 502}]),
)
_FAILURES = st.builds(
    lambda status, usage: Response(json.dumps({"error": {}, "usage": usage}).encode(), status),
    st.sampled_from([200, 400, 401, 408, 500, 503, 504, 522, 524]),
    _USAGES,
)
_OTHERS = st.sampled_from(
    [
        Response(b"<html>"),
        Response(cut=True),
        Response(status=429, headers={"Retry-After": "0"}),
        Response(status=429, headers={"Retry-After": "0.25"}),
    ]
)
RESPONSES = st.lists(_ANSWERS | _FAILURES | _OTHERS, min_size=1, max_size=3)
MISFORTUNES = st.lists(st.sampled_from(["55P03", "57014", "40P01", "40001", "08006"]), max_size=3)
EUROS = st.decimals(0, 9, places=2)


class HurriedClock(Clock):
    """A clock whose waits take no time."""

    def __init__(self) -> None:
        ahead = [0.0]
        super().__init__(monotonic_seconds=lambda: time.monotonic() + ahead[0])
        object.__setattr__(self, "ahead", ahead)

    ahead: list[float]

    def wait(self, seconds: float) -> bool:
        self.ahead[0] += seconds
        return False


class UnluckyBudget(Budget):
    """A budget whose next settlements find locks or no server."""

    misfortunes: list[str]

    def settle(self, reservation_id: int, *, tokens: int, spent_eur: Decimal) -> None:
        if self.misfortunes:
            raise error_with(self.misfortunes.pop())
        super().settle(reservation_id, tokens=tokens, spent_eur=spent_eur)


class NotingMeter(SharedMeter):
    """Adds up what was billed above the reservations."""

    def __init__(self, engine: Engine, providers: list[Provider], clock: Clock) -> None:
        super().__init__(engine, providers, clock, Metrics(), patience_seconds=PATIENCE_SECONDS)
        self.unlucky = self._budget = UnluckyBudget(engine)
        self.unlucky.misfortunes = []
        self.above_eur = Decimal(0)
        self._adding = threading.Lock()

    def settle(self, reservation: Reservation, usage: TokenUsage | None) -> None:
        if usage is not None:
            cost_eur = self._providers[reservation.provider].price.cost_eur(usage)
            with self._adding:
                self.above_eur += max(Decimal(0), cost_eur - reservation.cost_eur)
        super().settle(reservation, usage)


@dataclass
class Process:
    """A reviewer process, as far as it asks and pays; `dead` are calls that it never settled."""

    clock: HurriedClock
    meter: NotingMeter
    clients: dict[str, ProviderClient]
    dead: list[Reservation] = field(default_factory=list)


def start(engine: Engine, providers: list[Provider]) -> Process:
    clock, metrics = HurriedClock(), Metrics()
    meter = NotingMeter(engine, providers, clock)
    meter.open()
    clients = {
        each.name: ProviderClient(
            Chat(each), Gate(each.name, most=4, clock=clock, metrics=metrics), meter, clock, metrics
        )
        for each in providers
    }
    return Process(clock, meter, clients)


PROCESSES = st.sampled_from([0, 1])
PROVIDERS = st.sampled_from(NAMES)


class Books(RuleBasedStateMachine):
    """Two processes, two providers and some batches over one budget."""

    engine: Engine
    server: ChatServer

    def __init__(self) -> None:
        super().__init__()
        with self.engine.begin() as connection:
            connection.execute(
                text("TRUNCATE review_reservations, review_batch_holds, review_providers")
            )
            connection.execute(
                text("UPDATE review_budget SET spent_eur = 0, reserved_eur = 0, cap_eur = 8")
            )
        self.budget = Budget(self.engine)
        self.budget.resume()
        providers = [
            provider(self.server.base_url, name, price=PRICE, max_tokens=600) for name in NAMES
        ]
        self.processes = [start(self.engine, providers) for _ in range(2)]
        self.told_eur = Decimal(0)
        self.batches: dict[uuid.UUID, BatchTotals] = {}
        self.batches_above_eur = Decimal(0)
        self.adding = threading.Lock()

    def teardown(self) -> None:
        for process in self.processes:
            for client in process.clients.values():
                client._chat.close()

    @rule(process=PROCESSES, name=PROVIDERS, responses=RESPONSES, misfortunes=MISFORTUNES)
    def ask(
        self, process: int, name: str, responses: list[Response], misfortunes: list[str]
    ) -> None:
        """Ask for one text; the server gives each response once, then the last one.

        Settlements meet the misfortunes: they come after them.
        """
        self.processes[process].meter.unlucky.misfortunes = list(misfortunes)
        left = list(responses)
        lock = threading.Lock()

        def respond(_: dict[str, Any]) -> Response:
            with lock:
                return left.pop(0) if len(left) > 1 else left[0]

        self.server.respond = respond
        self._ask(process, name)

    @rule(name=PROVIDERS, response=_ANSWERS, callers=st.integers(2, 6))
    def race(self, name: str, response: Response, callers: int) -> None:
        """Ask from both processes at once, perhaps for the last euros."""
        self.server.respond = lambda _: response
        threads = [
            threading.Thread(target=self._ask, args=[number % 2, name]) for number in range(callers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _ask(self, process: int, name: str) -> None:
        one = self.processes[process]
        now = one.clock.monotonic_seconds()
        timeout_seconds = one.clients[name].provider.timeout_seconds
        window = CallWindow(now + PATIENCE_SECONDS, now + timeout_seconds + PATIENCE_SECONDS)
        try:
            result = one.clients[name].ask(lambda _: MESSAGES, window, first=True)
        except SlowDown:
            return
        with self.adding:
            self.told_eur += result.cost_eur

    @rule(process=PROCESSES, name=PROVIDERS, tokens=st.integers(1, 2000))
    def die(self, process: int, name: str, tokens: int) -> None:
        """Begin a call and never end it."""
        one = self.processes[process]
        cost_eur = Decimal(tokens) / 1000
        try:
            asked = one.clients[name].provider
            one.dead.append(one.meter.reserve(asked, tokens=tokens, cost_eur=cost_eur))
        except SlowDown:
            return

    @rule(process=PROCESSES, tokens=st.none() | st.integers(0, 3000), times=st.integers(1, 2))
    def come_back(self, process: int, tokens: int | None, times: int) -> None:
        """Settle a call that was thought dead, before or after it has expired, perhaps twice."""
        one = self.processes[process]
        if not one.dead:
            return
        reservation = one.dead.pop()
        usage = None if tokens is None else TokenUsage(tokens_in=tokens, tokens_out=0)
        for _ in range(times):
            one.meter.settle(reservation, usage)
        self.told_eur += Decimal(tokens or 0) / 1000
        if times == 2 and tokens is not None:
            one.meter.above_eur -= max(Decimal(0), Decimal(tokens) / 1000 - reservation.cost_eur)

    @rule()
    def expire(self) -> None:
        """Let the time of all calls under way run out."""
        self._execute("UPDATE review_reservations SET expires_at = now() - interval '1 s'")
        self.budget.expire()

    @rule(seconds=st.sampled_from([10, 100, 1000]))
    def rest(self, seconds: int) -> None:
        """Let pauses and circuits run out."""
        self._execute("UPDATE review_providers SET paused_until = NULL")
        self._execute("UPDATE review_providers SET doubted_until = now() WHERE doubts > 0")
        for process in self.processes:
            process.clock.ahead[0] += seconds

    @rule(more=EUROS)
    def resume(self, more: Decimal) -> None:
        """Set a cap, as a person may: not below what is spent and set aside."""
        state = self.budget.read()
        self.budget.resume(cap_eur=state.spent_eur + state.reserved_eur + more, keep_cap=False)
        # This cap holds the calls that were billed above their reservation before.
        for process in self.processes:
            process.meter.above_eur = Decimal(0)
        self.batches_above_eur = Decimal(0)

    @rule(name=PROVIDERS, most=EUROS)
    def submit(self, name: str, most: Decimal) -> None:
        key = uuid.uuid4()
        try:
            held = holds.hold(self.engine, key, name, most)
        except SlowDown:
            return
        if held:
            self.batches[key] = BatchTotals(0, Decimal(0), most)

    @rule(data=st.data(), spent=EUROS, kept=st.booleans(), times=st.integers(1, 2))
    def collect(self, data: st.DataObject, spent: Decimal, times: int, *, kept: bool) -> None:
        """Collect answers of a batch, or all that is left of it, each perhaps twice."""
        if not self.batches:
            return
        key = data.draw(st.sampled_from(sorted(self.batches)))
        before = self.batches[key]
        left = max(Decimal(0), before.left_eur - spent) if kept else Decimal(0)
        now = BatchTotals(before.answered + 1, before.spent_eur + spent, left)
        for _ in range(times):
            (holds.settle if kept else holds.end)(self.engine, key, now)
        self.told_eur += spent
        self.batches_above_eur += max(Decimal(0), spent - (before.left_eur - left))
        if kept:
            self.batches[key] = now
        else:
            del self.batches[key]

    def _execute(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement))

    def _sum(self, query: str) -> Decimal:
        with self.engine.connect() as connection:
            return Decimal(connection.execute(text(f"SELECT coalesce(({query}), 0)")).scalar_one())

    @invariant()
    def the_cap_holds(self) -> None:
        state = self.budget.read()
        assert state.cap_eur is not None
        above = sum((each.meter.above_eur for each in self.processes), self.batches_above_eur)
        assert state.spent_eur + state.reserved_eur <= state.cap_eur + above

    @invariant()
    def the_books_agree(self) -> None:
        for process in self.processes:
            process.meter.unlucky.misfortunes = []
            process.meter.settle_left_over()
        state = self.budget.read()
        open_eur = self._sum(f"{_RESERVED} IS NULL")
        held_eur = self._sum("SELECT sum(reserved_eur) FROM review_batch_holds")
        assert state.reserved_eur == open_eur + held_eur
        assert state.spent_eur == self._sum("SELECT sum(spent_eur) FROM review_providers")
        perhaps_eur = self._sum(f"{_RESERVED} IS NOT NULL")
        assert state.spent_eur == self.told_eur + perhaps_eur


def run_books(engine: Engine, *, examples: int, steps: int) -> None:
    with chat_server(lambda _: Response()) as server:
        machine = type("Over", (Books,), {"engine": engine, "server": server})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate, Phase.shrink],
            ),
        )


def test_the_cap_holds_and_the_books_agree_whatever_happens(engine: Engine) -> None:
    run_books(engine, examples=15, steps=20)
