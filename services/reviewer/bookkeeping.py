"""The round in which a reviewer keeps the budget's books: dead calls, late settlements, gauges."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, text

from services.reviewer.budget import Budget, read_budget
from shared.metrics import PAUSE_REASONS, Metrics

_PROVIDERS = text("SELECT name, spent_eur, calls FROM review_providers")


@dataclass(frozen=True)
class Bookkeeping:
    """`settle_left_over` is the meter's, `providers` are the names that this process knows."""

    engine: Engine
    metrics: Metrics
    providers: frozenset[str] = frozenset()
    settle_left_over: Callable[[], None] = lambda: None

    def step(self) -> None:
        self.settle_left_over()
        Budget(self.engine).expire()
        with self.engine.connect() as connection:
            state = read_budget(connection)
            providers = connection.execute(_PROVIDERS).all()
        cap_euros = math.inf if state.cap_eur is None else float(state.cap_eur)
        self.metrics.budget_cap_euros.set(cap_euros)
        self.metrics.budget_spent_euros.set(float(state.spent_eur))
        self.metrics.budget_reserved_euros.set(float(state.reserved_eur))
        for reason in PAUSE_REASONS:
            paused = self.metrics.budget_paused.labels(reason=reason)
            paused.set(int(state.paused_because == reason))
        for row in providers:
            if row.name in self.providers:
                self.metrics.provider_spent_euros.labels(provider=row.name).set(row.spent_eur)
                self.metrics.provider_calls.labels(provider=row.name).set(row.calls)
