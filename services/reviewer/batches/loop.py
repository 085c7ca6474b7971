"""The loop over batches: each turn looks at those whose time has come, and forms new ones.

Every process runs it; a batch is looked at by one of them at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Engine

from services.reviewer.actors import ShardReviewer
from services.reviewer.batches import jobs
from services.reviewer.batches.client import BatchClient
from services.reviewer.batches.figures import read_load, read_states
from services.reviewer.batches.lines import release_waiting
from services.reviewer.batches.requests import BatchForm
from services.reviewer.batches.step import Working, give_up
from services.reviewer.money.budget import Budget
from services.reviewer.providers.batch_route import BatchRoute
from services.reviewer.providers.meter import BudgetReached
from services.reviewer.providers.prompt import Prompt
from services.reviewer.providers.settings import Provider
from shared.clock import Clock
from shared.metrics import Metrics

# Of a sample: it is waited for.
_SAMPLE_LINGER_SECONDS = 5.0
_LEASE_SECONDS = 60.0
_NO_PROVIDER = ""


@dataclass(frozen=True)
class Batches:
    """`lines` are the ways to providers that write batches; `reviewers`, one for each shard."""

    control: Engine
    reviewers: Sequence[ShardReviewer]
    lines: Sequence[tuple[BatchRoute, Sequence[Working]]]
    clock: Clock
    metrics: Metrics

    def step(self) -> None:
        self._give_up_strangers()
        for line, workings in self.lines:
            for working in workings:
                self._look(working)
            self._form(line, workings)
        found = read_states(reviewer.engine for reviewer in self.reviewers)
        for state, (batches, texts) in found.items():
            self.metrics.batch_texts.labels(state=state).set(texts)
            if state != "waiting":
                self.metrics.batches.labels(state=state).set(batches)

    def _give_up_strangers(self) -> None:
        """Batches of a provider that nobody asks any more, once they must have ended."""
        for reviewer in self.reviewers:
            while job := jobs.take(reviewer.engine, _NO_PROVIDER, lease_seconds=_LEASE_SECONDS):
                give_up(self.control, reviewer, job)

    def _look(self, working: Working) -> None:
        engine, name = working.reviewer.engine, working.provider.name
        while not self.clock.stopping.is_set():
            job = jobs.take(engine, name, lease_seconds=working.lease_seconds)
            if job is None:
                return
            working.look(job)

    def _form(self, line: BatchRoute, workings: Sequence[Working]) -> None:
        """New batches where the server is well, and the room that is left for those who ask."""
        room, closed_seconds = 0, 0.0
        for working in workings:
            engine, batch = working.reviewer.engine, working.batch
            load = read_load(engine, working.provider.name, poll_seconds=batch.poll_seconds)
            closed_seconds = max(closed_seconds, load.closed_seconds)
            if load.closed_seconds > 0:
                release_waiting(engine, working.provider.name)
                continue
            formed = self._form_in(working, load.open_batches)
            room += batch.size * (1 + batch.parallel - load.open_batches - formed) - load.waiting
        line.gate.set(room=max(0, room), closed_seconds=closed_seconds)

    def _form_in(self, working: Working, open_batches: int) -> int:
        """As many as there is text, room and money for."""
        budget, formed = Budget(self.control), 0
        while open_batches + formed < working.batch.parallel:
            state = budget.read()
            if state.paused:
                break
            only = None if state.sample_ids is None else list(state.sample_ids)
            linger = working.batch.linger_seconds
            if only is not None:
                linger = min(linger, _SAMPLE_LINGER_SECONDS)
            with working.reviewer.engine.connect() as connection:
                if not working.forming.is_time(connection, only, linger):
                    break
            found = working.forming.form(
                working.reviewer.engine, left_eur=state.left_eur, only=only
            )
            if found.short_eur is not None:
                _pause_at_cap(budget, working.provider, found.short_eur)
            if not found.texts:
                break
            # What it will hold is not free for the next one.
            self._look(working)
            formed += 1
        return formed


def make_workings(
    client: BatchClient, reviewers: Sequence[ShardReviewer], control: Engine, prompt: Prompt
) -> list[Working]:
    """One for each shard."""
    provider, batch = client.provider, client.batch
    return [
        Working(
            control=control,
            reviewer=reviewer,
            provider=provider,
            batch=batch,
            client=client,
            forming=BatchForm(provider, batch, prompt, reviewer.sole_traders),
        )
        for reviewer in reviewers
    ]


def _pause_at_cap(budget: Budget, provider: Provider, cost_eur: Decimal) -> None:
    """Pause the run where not even one text fits any more, as a call would."""
    try:
        held = budget.reserve(provider.name, tokens=0, cost_eur=cost_eur, expires_after_seconds=60)
    except BudgetReached:
        return
    if held is not None:
        budget.settle(held, tokens=0, spent_eur=Decimal(0))
