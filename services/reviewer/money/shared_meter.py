"""The meter of a reviewer process, with limits and budget in PostgreSQL for all replicas."""

import math
import threading
from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Engine

from services.reviewer.money.budget import Budget, require_running
from services.reviewer.money.doubts import Doubts
from services.reviewer.money.pauses import Pauses
from services.reviewer.money.rate_limits import RateLimits, open_providers
from services.reviewer.providers.limits import CallLimit, Reservation
from services.reviewer.providers.settings import Provider, TokenUsage
from shared.clock import Clock
from shared.db.outages import slowing_down
from shared.errors import SlowDown
from shared.metrics import Metrics

if TYPE_CHECKING:
    from shared.money.budget import BudgetState

log = structlog.get_logger()

# A pause may go unnoticed this long when a call costs nothing and needs no row.
_STATE_SECONDS = 1.0
_ROOM_SECONDS = 0.5
# A reservation lasts for the call with its retries, then for the settlement.
_TIMEOUTS_PER_CALL = 4
_SETTLING_SECONDS = 60


class SharedMeter:
    """A Meter for the threads of one process."""

    def __init__(
        self,
        engine: Engine,
        providers: Sequence[Provider],
        clock: Clock,
        metrics: Metrics,
        *,
        patience_seconds: float = 30,
    ) -> None:
        self._engine = engine
        self._limits = RateLimits(engine, providers, clock)
        self._budget = Budget(engine)
        self._providers = {provider.name: provider for provider in providers}
        self._pauses = Pauses(engine, list(self._providers), clock)
        self._doubts = Doubts(engine, list(self._providers), clock, metrics)
        self._clock = clock
        self._metrics = metrics
        self._patience_seconds = patience_seconds
        self._unsettled: deque[tuple[int, int, Decimal]] = deque()
        self._state_lock = threading.Lock()
        self._state_read_at = -math.inf
        self._state: BudgetState | None = None

    def open(self, *, prompt_version: str | None = None) -> None:
        """Store the providers; call this before the first call."""
        open_providers(self._engine, tuple(self._providers.values()), prompt_version=prompt_version)
        for provider in self._providers.values():
            self._metrics.declare_metered(provider.name)

    def closed_seconds(self, provider: Provider) -> float:
        """Return as `Meter` says."""
        with slowing_down():
            return self._doubts.left_seconds(provider.name)

    def reserve(self, provider: Provider, *, tokens: int, cost_eur: Decimal) -> Reservation:
        """Reserve as `Meter` says. A pause is noticed before the wait and after it."""
        started_seconds = self._clock.monotonic_seconds()
        with slowing_down():
            self._require_running()
            paused_seconds = self._pauses.left_seconds(provider.name)
            if paused_seconds > 0:
                raise CallLimit.PROVIDER_PAUSED.error(f"{provider.name} pauses", paused_seconds)
            self._doubts.try_out(provider.name)
            self._limits.take(provider, tokens=tokens, patience_seconds=self._patience_seconds)
            reservation_id = None
            if cost_eur > 0 or provider.tokens_per_minute is not None:
                deadline_seconds = self._clock.monotonic_seconds() + self._patience_seconds
                reservation_id = self._set_aside(provider, tokens, cost_eur, deadline_seconds)
            else:
                self._require_running()
        waited_seconds = self._clock.monotonic_seconds() - started_seconds
        self._metrics.provider_wait_seconds.labels(provider=provider.name).observe(waited_seconds)
        return Reservation(provider.name, reservation_id, cost_eur)

    def settle(self, reservation: Reservation, usage: TokenUsage | None) -> None:
        """Settle as `Meter` says. Raises nothing while PostgreSQL is away: the text is paid for.

        `settle_left_over` tries again later. A call that is never settled counts in full.
        """
        if reservation.id is None:
            return
        spent_eur, tokens = Decimal(0), 0
        if usage is not None:
            spent_eur = self._providers[reservation.provider].price.cost_eur(usage)
            tokens = usage.tokens
            if spent_eur > reservation.cost_eur:
                log.warning("a call cost more than its reservation", provider=reservation.provider)
        self._unsettled.append((reservation.id, tokens, spent_eur))
        self.settle_left_over()

    def pause(self, provider: Provider, seconds: float) -> None:
        """Pause as `Meter` says."""
        self._pauses.start(provider.name, seconds)

    def answered(self, provider: Provider) -> None:
        """Note as `Meter` says."""
        self._pauses.end(provider.name)

    def judge(self, provider: Provider, *, accepted: bool) -> float:
        """Note as `Meter` says."""
        return self._doubts.judge(provider.name, accepted=accepted)

    def overbilled(self, provider: Provider) -> float:
        """Note as `Meter` says."""
        return self._doubts.overbilled(provider.name)

    def renew_doubts(self) -> None:
        """Learn which providers other replicas doubt; a loop does it where no text is asked for."""
        self._doubts.renew()

    def settle_left_over(self) -> None:
        """Settle the calls that this process has not settled yet; any thread may do it."""
        while self._unsettled:
            try:
                one = self._unsettled.popleft()
            except IndexError:  # Another thread took the last one.
                return
            try:
                with slowing_down():
                    self._budget.settle(one[0], tokens=one[1], spent_eur=one[2])
            except SlowDown as error:
                self._unsettled.append(one)
                log.warning("cannot settle yet", calls=len(self._unsettled), reason=str(error))
                return

    def _set_aside(
        self, provider: Provider, tokens: int, cost_eur: Decimal, deadline_seconds: float
    ) -> int:
        expires_after_seconds = _TIMEOUTS_PER_CALL * provider.timeout_seconds + _SETTLING_SECONDS
        while True:
            reserved = self._budget.reserve(
                provider.name,
                tokens=tokens,
                cost_eur=cost_eur,
                expires_after_seconds=expires_after_seconds,
            )
            if reserved is not None:
                return reserved
            late = self._clock.monotonic_seconds() > deadline_seconds
            if late or self._clock.wait(_ROOM_SECONDS):
                raise SlowDown("calls under way fill the budget", retry_after_seconds=5)

    def _require_running(self) -> None:
        with self._state_lock:
            now_seconds = self._clock.monotonic_seconds()
            if self._state is None or now_seconds - self._state_read_at > _STATE_SECONDS:
                self._state = self._budget.read()
                self._state_read_at = now_seconds
            state = self._state
        require_running(state)
