"""The loop over batches: each turn advances batches whose time has come, and builds new ones.

Every process runs the loop; one process at a time has a batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Engine

from services.reviewer.actors import ShardReviewer
from services.reviewer.batches import jobs
from services.reviewer.batches.figures import ProviderLoad, read_load, read_states
from services.reviewer.batches.lines import release_waiting
from services.reviewer.batches.step import BatchSteps, give_up
from services.reviewer.money.budget import Budget
from services.reviewer.providers.batch_route import BatchRoute
from services.reviewer.providers.circuit_breaker import State
from services.reviewer.providers.settings import Provider
from shared.clock import Clock
from shared.errors import SlowDown
from shared.metrics import Metrics

_LEASE_SECONDS = 60.0
_NO_PROVIDER = ""


@dataclass(frozen=True)
class Batches:
    """`routes` lead to the providers that write batches; `reviewers` has one for each shard."""

    control: Engine
    reviewers: Sequence[ShardReviewer]
    routes: Sequence[tuple[BatchRoute, Sequence[BatchSteps]]]
    clock: Clock
    metrics: Metrics

    def step(self) -> None:
        self._give_up_overdue()
        for route, steps_by_shard in self.routes:
            for steps in steps_by_shard:
                self._advance_all(steps)
            self._build(route, steps_by_shard)
        found = read_states(reviewer.engine for reviewer in self.reviewers)
        for state, (batches, texts) in found.items():
            self.metrics.batch_texts.labels(state=state).set(texts)
            if state != "waiting":
                self.metrics.batches.labels(state=state).set(batches)

    def _give_up_overdue(self) -> None:
        """Give up overdue batches, those of providers that are no longer in the settings, too."""
        for number, reviewer in enumerate(self.reviewers):
            steps = {route.provider.name: by_shard[number] for route, by_shard in self.routes}
            while job := jobs.take(reviewer.engine, _NO_PROVIDER, lease_seconds=_LEASE_SECONDS):
                if job.provider in steps:
                    steps[job.provider].advance(job)
                else:
                    give_up(self.control, reviewer, job)

    def _advance_all(self, steps: BatchSteps) -> None:
        engine, name = steps.reviewer.engine, steps.provider.name
        while not self.clock.stopping.is_set():
            job = jobs.take(engine, name, lease_seconds=steps.lease_seconds)
            if job is None:
                return
            steps.advance(job)

    def _build(self, route: BatchRoute, steps_by_shard: Sequence[BatchSteps]) -> None:
        """Build batches where the server is well; tell the route how much room is left."""
        room, closed_seconds = 0, 0.0
        for steps in steps_by_shard:
            engine, batch, load = steps.reviewer.engine, steps.batch, _load_of(steps)
            if load.closed_seconds > 0:
                if not load.crowded:
                    closed_seconds = max(closed_seconds, load.closed_seconds)
                    release_waiting(engine, steps.provider.name)
                continue
            built = self._build_in(steps, load)
            room += batch.size * (1 + batch.parallel - load.open_batches - built) - load.waiting
        route.set(room=max(0, room), closed_seconds=closed_seconds)
        state = State.OPEN if closed_seconds > 0 else State.CLOSED
        self.metrics.circuit_state.labels(provider=route.provider.name).set(state)

    def _build_in(self, steps: BatchSteps, load: ProviderLoad) -> int:
        """Build as many batches as there is text, room and money for; return their number."""
        budget, built = Budget(self.control), 0
        # A server's limit is that of all its batches together.
        while load.closed_seconds <= 0 and load.open_batches < (
            1 if load.most_texts else steps.batch.parallel
        ):
            builder = steps.builder(load.most_texts)
            state = budget.read()
            if state.paused:
                break
            engine, only, left_eur = steps.reviewer.engine, state.sample_ids, state.left_eur
            if not builder.is_due(engine, only):
                break
            texts, short_eur = builder.build(engine, left_eur=left_eur, only=only)
            if short_eur is not None:
                _pause_at_cap(budget, steps.provider, short_eur)
            if not texts:
                break
            # It sets its money aside before the next one is built.
            self._advance_all(steps)
            built += 1
            load = _load_of(steps)
        return built


def _load_of(steps: BatchSteps) -> ProviderLoad:
    seconds = steps.batch.poll_seconds
    return read_load(steps.reviewer.engine, steps.provider.name, poll_seconds=seconds)


def _pause_at_cap(budget: Budget, provider: Provider, cost_eur: Decimal) -> None:
    """Pause the run, as a call would, when the budget has no room for a single text."""
    try:
        held = budget.reserve(provider.name, tokens=0, cost_eur=cost_eur, expires_after_seconds=60)
    except SlowDown:
        return
    if held is not None:
        budget.settle(held, tokens=0, spent_eur=Decimal(0))
