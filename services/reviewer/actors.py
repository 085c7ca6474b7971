"""The reviewer's actor: the ids of a message fan out to the generators of this process."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

import dramatiq
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.reviewer.capacity import Capacity
from services.reviewer.notices.label import day_in_france, label
from services.reviewer.providers.call import CallWindow
from services.reviewer.reviews import synthese
from services.reviewer.store import claim, give_back, store
from services.reviewer.texts.attempts import BY_A_MODEL, Attempt, Postponed, Reviewing
from services.reviewer.texts.duplicates import Rewrite
from services.reviewer.texts.parking import Parked, park
from services.reviewer.texts.quotations import quote
from services.reviewer.texts.rulings import AvisResult, Claim, Fate
from shared.clock import Clock
from shared.db.outages import is_outage, slowing_down
from shared.errors import SlowDown
from shared.messages import ContractError, ReviewAvis
from shared.metrics import Metrics

log = structlog.get_logger()

CLAIMING_SECONDS = 300
"""After which a message begins no more texts; well below RabbitMQ's consumer timeout."""

STORE_EVERY_SECONDS = 0.5
"""How long a finished text may wait for others to be stored with: what a kill can cost."""

_STORE_SECONDS = 10.0
"""Of the lease, for the store."""

_TIME_LIMIT_MS = 1_200_000

Outcome = AvisResult | Parked | SlowDown | None
"""None: not begun."""


@dataclass(frozen=True, kw_only=True)
class ShardReviewer:
    """The generators of one process, shared by the messages that it works on, on one shard.

    No database connection is held while a text is being made.
    """

    engine: Engine
    generators: Executor
    reviewing: Reviewing
    clock: Clock
    metrics: Metrics
    lease_seconds: float
    sole_traders: bool
    # Those of the avis that may be made now: none while the run is paused. The others go back.
    admit: Callable[[Sequence[int]], Sequence[int]] = list
    rewrite: Rewrite | None = None
    # Of the process; without one whatever comes is claimed.
    hand: Capacity | None = None

    def work(self, avis_ids: Sequence[int]) -> None:
        """Claim, write and store; what is not begun in time goes back to the relay.

        Raises SlowDown where some had better wait: they stay published, and come again with the
        message.
        """
        with (self.hand or Capacity(self.clock)).holding(len(avis_ids)) as put_down:
            self._work(avis_ids, put_down)

    def _work(self, avis_ids: Sequence[int], put_down: Callable[[], None]) -> None:
        start = self.clock.monotonic_seconds()
        claimed = claim(
            self.engine,
            avis_ids,
            lease_seconds=self.lease_seconds,
            prompt_version=self.reviewing.prompt_version,
            sole_traders=self.sole_traders,
        )
        fates = dict(claimed.settled)
        self._count(claimed.settled.values())
        # After the claim, so that whoever waits for all claims to end after a pause sees this one.
        admitted = set(self.admit([one.avis_id for one in claimed.claims]))
        pending = {
            # With the names that the message's log lines have.
            self.generators.submit(copy_context().run, self._review, one, start=start)
            for one in claimed.claims
            if one.avis_id in admitted
        }
        for _ in range(len(avis_ids) - len(pending)):
            put_down()
        for future in pending:
            future.add_done_callback(lambda _: put_down())
        slow_down: SlowDown | None = None
        deferred: list[Parked] = []
        while pending:
            done, pending = wait(pending, timeout=STORE_EVERY_SECONDS)
            outcomes = [future.result() for future in done]
            results = [each for each in outcomes if isinstance(each, AvisResult)]
            if results:
                fates |= self._store(results, give_up_at=start + self.lease_seconds)
            slow_down = next(_waits(outcomes, fates), slow_down)
            deferred += filter(None, map(_parked, outcomes))
        parked = park(self.engine, deferred) if deferred else set()
        left_over = [
            avis_id
            for avis_id in avis_ids
            if avis_id not in parked and fates.get(avis_id, Fate.POSTPONED) is Fate.POSTPONED
        ]
        if left_over:
            give_back(self.engine, left_over, claimed.claims, resend=slow_down is None)
        if slow_down is not None:
            raise slow_down

    def _review(self, claimed: Claim, *, start: float) -> Outcome:
        """None where it is too late to begin: half of the lease must be left for call and store."""
        structlog.contextvars.bind_contextvars(avis_id=claimed.avis_id)
        window = CallWindow(
            begin_by=start + min(CLAIMING_SECONDS, self.lease_seconds / 2),
            finish_by=start + self.lease_seconds - min(_STORE_SECONDS, self.lease_seconds / 4),
        )
        if self.clock.stopping.is_set() or self.clock.monotonic_seconds() > window.begin_by:
            return None
        postponed: Postponed | None = None
        with self.metrics.generators_busy.track_inprogress():
            try:
                attempts = self._attempts(claimed, window)
            except Postponed as error:
                postponed, attempts = error, error.attempts
        if postponed is not None and not attempts:
            if postponed.deferred_to is not None:
                return Parked(claimed, postponed.deferred_to, 0, ())
            return None if self.clock.stopping.is_set() else postponed
        return self.result_of(claimed, attempts, postponed)

    def result_of(
        self, claimed: Claim, attempts: tuple[Attempt, ...], postponed: SlowDown | None = None
    ) -> AvisResult:
        """To be stored; the attempts are counted here."""
        self._observe(claimed, attempts)
        return AvisResult(
            claim=claimed,
            attempts=attempts,
            label=self._label(claimed, attempts[-1]),
            postponed=postponed,
        )

    def _attempts(self, claimed: Claim, window: CallWindow) -> tuple[Attempt, ...]:
        if claimed.sources is None:
            return self.reviewing.review(claimed.facts, window)
        return (quote(claimed.facts, claimed.sources, self.clock.monotonic_seconds),)

    def _observe(self, claimed: Claim, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            self.metrics.avis_attempt_seconds.observe(attempt.latency_seconds)
            for reason in attempt.reasons:
                self.metrics.avis_rejections.labels(reason=reason).inc()
            if attempt.error is not None:
                log.warning("generator failed", avis_id=claimed.avis_id, error=attempt.error)

    def _label(self, claimed: Claim, last: Attempt) -> str:
        now = self.clock.now()
        if claimed.sources is not None:
            return synthese.label(generated_on=day_in_france(now), count=len(claimed.sources))
        return label(
            generated_at=now,
            fetched_at=claimed.fetched_at,
            ai=last.digital_source_type == BY_A_MODEL,
        )

    def _store(self, results: Sequence[AvisResult], *, give_up_at: float) -> dict[int, Fate]:
        """Store, again and again while the lease lasts: these texts may have been paid for."""
        while True:
            try:
                fates = store(
                    self.engine, results, sole_traders=self.sole_traders, rewrite=self.rewrite
                )
            except (DBAPIError, PoolTimeoutError) as error:
                if not is_outage(error):
                    raise
                log.warning("cannot store", avis=len(results), error=type(error).__name__)
                if self.clock.wait(1.0) or self.clock.monotonic_seconds() > give_up_at:
                    raise
            else:
                self._count(fates.values())
                return fates

    def _count(self, fates: Iterable[Fate]) -> None:
        for fate in fates:
            self.metrics.avis_reviewed.labels(outcome=fate.value).inc()


def _waits(outcomes: Iterable[Outcome], fates: Mapping[int, Fate]) -> Iterator[SlowDown]:
    """Why some of them had better come again."""
    for each in outcomes:
        if isinstance(each, SlowDown):
            yield each
        elif (
            isinstance(each, AvisResult)
            and each.postponed
            and fates[each.claim.avis_id] is Fate.POSTPONED
            and _parked(each) is None
        ):
            yield each.postponed


def _parked(outcome: Outcome) -> Parked | None:
    """What waits for a batch, be it after calls to others."""
    if isinstance(outcome, Parked):
        return outcome
    postponed = outcome.postponed if isinstance(outcome, AvisResult) else None
    if not isinstance(outcome, AvisResult) or not isinstance(postponed, Postponed):
        return None
    if postponed.deferred_to is None:
        return None
    reasons = tuple(reason for attempt in outcome.attempts for reason in attempt.reasons)
    return Parked(outcome.claim, postponed.deferred_to, len(outcome.attempts), reasons)


def declare_actors(broker: dramatiq.Broker, *crews: ShardReviewer) -> None:
    """Declare the actor; each shard has a crew, in order."""

    def review_avis(*others: Any, **wire: Any) -> None:
        message = ReviewAvis.from_wire(wire, *others)
        if message.shard >= len(crews):
            raise ContractError(f"ReviewAvis.shard is none of {len(crews)}")
        with slowing_down():
            crews[message.shard].work(message.avis_ids)

    dramatiq.actor(
        broker=broker,
        actor_name=ReviewAvis.ACTOR,
        queue_name=ReviewAvis.QUEUE,
        time_limit=_TIME_LIMIT_MS,
    )(review_avis)
