"""An author over chat servers, as the reviewer has it, with a meter that tests can read."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import HttpUrl

from services.reviewer.providers.call import CallWindow, ProviderClient
from services.reviewer.providers.chat import Chat
from services.reviewer.providers.choice import ProviderChoice
from services.reviewer.providers.gate import Gate
from services.reviewer.providers.limits import Reservation
from services.reviewer.providers.prompt import read_prompt
from services.reviewer.providers.settings import Price, Provider, TokenUsage
from services.reviewer.providers.trust import Trust
from services.reviewer.texts.author import Author
from services.reviewer.validation import validate
from shared.clock import Clock, utc_now
from shared.metrics import Metrics

PRICE = Price(input_eur_per_million=Decimal(1), output_eur_per_million=Decimal(2))
FREE = Price(input_eur_per_million=Decimal(0), output_eur_per_million=Decimal(0))


@dataclass
class RecordingMeter:
    """Keeps every reservation; `refuses` is raised instead of the next ones."""

    reserved: list[Reservation] = field(default_factory=list)
    settled: dict[int, TokenUsage | None] = field(default_factory=dict)
    refuses: Exception | None = None
    trust: Trust = field(default_factory=Trust)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def closed_seconds(self, provider: Provider) -> float:
        del provider  # one is enough
        return self.trust.left_seconds(utc_now())

    def reserve(self, provider: Provider, *, tokens: int, cost_eur: Decimal) -> Reservation:
        with self._lock:
            assert self.trust.left_seconds(utc_now()) == 0, "a doubted provider is asked"
            self.trust = self.trust.tried(utc_now())
            if self.refuses is not None:
                raise self.refuses
            assert tokens > 0
            self.reserved.append(Reservation(provider.name, len(self.reserved), cost_eur))
            return self.reserved[-1]

    def settle(self, reservation: Reservation, usage: TokenUsage | None) -> None:
        assert reservation.id is not None
        with self._lock:
            assert reservation.id not in self.settled, "settled twice"
            self.settled[reservation.id] = usage
        if usage is not None:
            assert PRICE.cost_eur(usage) <= reservation.cost_eur, "more than was set aside"

    def pause(self, provider: Provider, seconds: float) -> None:
        """Do nothing: there is no other replica."""

    def answered(self, provider: Provider) -> None:
        """Do nothing, as above."""

    def judge(self, provider: Provider, *, accepted: bool) -> float:
        del provider
        return self._learn(self.trust.judged(utc_now(), accepted=accepted))

    def overbilled(self, provider: Provider) -> float:
        del provider
        return self._learn(self.trust.overbilled(utc_now()))

    def _learn(self, now: Trust) -> float:
        with self._lock:
            before, self.trust = self.trust, now
            return now.left_seconds(utc_now()) if now.doubts > before.doubts else 0.0

    @property
    def cost_eur(self) -> Decimal:
        return sum((PRICE.cost_eur(usage) for usage in self.settled.values() if usage), Decimal(0))


def provider(base_url: str, name: str = "local", **settings: Any) -> Provider:
    given: dict[str, Any] = {"timeout_seconds": 1, "price": PRICE, "model": f"{name}-model"}
    return Provider(name=name, base_url=HttpUrl(base_url), **{**given, **settings})


def make_author(
    providers: Sequence[Provider],
    meter: RecordingMeter,
    metrics: Metrics,
    *,
    clock: Clock | None = None,
    outage_seconds: float = 600,
) -> Author:
    clock = clock or Clock()
    lines = [
        ProviderClient(
            Chat(each),
            Gate(each.name, most=each.max_parallel, clock=clock, metrics=metrics),
            meter,
            clock,
            metrics,
        )
        for each in providers
    ]
    return Author(
        validate,
        clock,
        choice=ProviderChoice(lines, read_prompt(), clock, outage_seconds),
        metrics=metrics,
    )


def within(seconds: float) -> CallWindow:
    now = time.monotonic()
    return CallWindow(begin_by=now + seconds / 2, finish_by=now + seconds)
