"""The limits of a provider, requests and tokens a minute, in one row for all replicas.

Slots follow GCRA (`shared.db.gcra`). A slot is committed before its call leaves: an unused slot is
lost, never used twice. No caller holds a connection while it waits.
"""

import threading
from collections.abc import Sequence

import structlog
from sqlalchemy import Engine, text

from services.reviewer.money.pauses import IS_PAUSED, PAUSE_LEFT
from services.reviewer.providers.limits import CallLimit
from services.reviewer.providers.settings import Provider
from shared.clock import Clock
from shared.db import gcra
from shared.errors import SlowDown

log = structlog.get_logger()

# Slots are granted ahead, so that a thread asks while the ones before it wait for their time.
_HORIZON_SECONDS = 0.1
_HORIZON = f"make_interval(secs => {_HORIZON_SECONDS})"
_REQUESTS = gcra.Limit("requests_arrival_at", "requests_per_minute", 60)
# The unused share is for jitter and for the credit. Calls give unused tokens back some seconds
# after their slot: without credit, each moment before that would be lost.
TOKENS = gcra.Limit("tokens_arrival_at", "tokens_per_minute", 60, share=0.96, credit_seconds=1.5)

# Another model, or another prompt, is trusted anew.
_TRUST_ANEW = text("""
    UPDATE review_providers SET
      refused_in_a_row = 0, doubts = 0, doubted_until = NULL, on_trial = false
    WHERE name = :name AND (model IS DISTINCT FROM CAST(:model AS text)
      OR prompt_version IS DISTINCT FROM CAST(:prompt_version AS text))
""")
_OPEN = text("""
    INSERT INTO review_providers (name, listed, model, prompt_version, weight, max_parallel,
                                  charges, requests_per_minute, tokens_per_minute)
    VALUES (:name, true, :model, :prompt_version, :weight, :max_parallel, :charges,
            :requests_per_minute, :tokens_per_minute)
    ON CONFLICT (name) DO UPDATE SET
      listed = true, model = excluded.model, prompt_version = excluded.prompt_version,
      weight = excluded.weight,
      max_parallel = excluded.max_parallel, charges = excluded.charges,
      requests_per_minute = excluded.requests_per_minute,
      tokens_per_minute = excluded.tokens_per_minute,
      opened_at = clock_timestamp()
""")
_UNLIST = text("UPDATE review_providers SET listed = false WHERE name <> ALL(:names)")
_NEXT = gcra.next_slot(
    *(f"CASE WHEN {each.rate} IS NOT NULL THEN {each.arrival} END" for each in (_REQUESTS, TOKENS))
)
_TAKE = text(f"""
    UPDATE review_providers SET
      slot_at = {_NEXT},
      requests_arrival_at = {_REQUESTS.arrival_after(_NEXT)},
      tokens_arrival_at = {TOKENS.arrival_after(_NEXT, ":tokens")}
    WHERE name = :name AND NOT {IS_PAUSED} AND {gcra.may_be_granted(_NEXT, _HORIZON)}
    RETURNING extract(epoch FROM slot_at - clock_timestamp())::float
""")
_WAIT = text(f"""
    SELECT {gcra.wait_seconds(_NEXT, _HORIZON)} AS wait_seconds, {PAUSE_LEFT} AS paused_seconds
    FROM review_providers WHERE name = :name
""")
_FORGET_THE_FUTURE = text(f"""
    UPDATE review_providers SET {gcra.forget_the_future(_REQUESTS, TOKENS)} WHERE name = :name
""")
_SETTINGS = {"name", "model", "weight", "requests_per_minute", "tokens_per_minute"}


def open_providers(
    engine: Engine, providers: Sequence[Provider], *, prompt_version: str | None = None
) -> None:
    """Store the providers that reviewers ask from now on, with prompt and limits."""
    with engine.begin() as connection:
        for provider in sorted(providers, key=lambda provider: provider.name):
            values = provider.model_dump(include=_SETTINGS)
            told = {
                "prompt_version": prompt_version,
                "charges": provider.price.charges,
                "max_parallel": provider.at_once,
            }
            connection.execute(_TRUST_ANEW, {**values, **told})
            connection.execute(_OPEN, {**values, **told})
        connection.execute(_UNLIST, {"names": [provider.name for provider in providers]})


class RateLimits:
    """The limits of these providers for the threads of one process."""

    def __init__(self, engine: Engine, providers: Sequence[Provider], clock: Clock) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._clock = clock
        # One thread of a process asks the server at a time; the others wait here.
        self._turnstiles = {provider.name: threading.Lock() for provider in providers}

    def take(self, provider: Provider, *, tokens: int, patience_seconds: float) -> None:
        """Wait for a slot of `tokens`, and return when its time has come.

        Raises SlowDown after `patience_seconds`, when the process is asked to stop, and while the
        provider is paused: PROVIDER_PAUSED.
        """
        if provider.requests_per_minute is None and provider.tokens_per_minute is None:
            return
        deadline_seconds = self._clock.monotonic_seconds() + patience_seconds
        while True:
            wait_seconds, latest_seconds = self._ask(provider.name, tokens, deadline_seconds)
            self._wait(wait_seconds)
            if self._clock.monotonic_seconds() <= latest_seconds:
                return
            # It is too late to use this slot: the next one is due as well.
            self._require_time(provider.name, deadline_seconds)

    def _ask(self, name: str, tokens: int, deadline_seconds: float) -> tuple[float, float]:
        """Return the wait for the slot, and the monotonic time until which it may be used."""
        turnstile = self._turnstiles[name]
        left_seconds = deadline_seconds - self._clock.monotonic_seconds()
        if not turnstile.acquire(timeout=max(0.0, left_seconds)):
            raise _no_slot(name)
        try:
            while True:
                self._wait(0)
                asked_seconds = self._clock.monotonic_seconds()
                granted, wait_seconds = self._try(name, tokens)
                if granted:
                    wait_seconds = max(0.0, wait_seconds)
                    return wait_seconds, asked_seconds + wait_seconds + gcra.MAX_LATENESS_SECONDS
                left_seconds = deadline_seconds - self._clock.monotonic_seconds()
                self._wait(min(max(wait_seconds, 0.01), left_seconds, 1.0))
                self._require_time(name, deadline_seconds)
        finally:
            turnstile.release()

    def _try(self, name: str, tokens: int) -> tuple[bool, float]:
        with self._engine.connect() as connection:
            granted = connection.execute(
                _TAKE, {"name": name, "tokens": tokens}
            ).scalar_one_or_none()
            if granted is not None:
                return True, granted
            row = connection.execute(_WAIT, {"name": name}).one()
            if row.paused_seconds > 0:
                raise CallLimit.PROVIDER_PAUSED.error(f"{name} pauses", row.paused_seconds)
            wait_seconds: float = row.wait_seconds
            if wait_seconds > gcra.MAX_WAIT_SECONDS:
                log.warning("provider row was written by a clock that was ahead", provider=name)
                connection.execute(_FORGET_THE_FUTURE, {"name": name})
                wait_seconds = 0.0
        return False, wait_seconds

    def _wait(self, seconds: float) -> None:
        if self._clock.wait(seconds):
            raise SlowDown("stopping", retry_after_seconds=1)

    def _require_time(self, name: str, deadline_seconds: float) -> None:
        if self._clock.monotonic_seconds() >= deadline_seconds:
            raise _no_slot(name)


def _no_slot(name: str) -> SlowDown:
    return SlowDown(f"no slot of the limits of {name} yet", retry_after_seconds=1)
