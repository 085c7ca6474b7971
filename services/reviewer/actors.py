"""The reviewer's actor: the ids of a message fan out to the generators of this process."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Any

import dramatiq
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.reviewer.capacity import Capacity
from services.reviewer.notices.label import day_in_france, label
from services.reviewer.providers.batch_route import WaitForBatch
from services.reviewer.providers.call import CallWindow
from services.reviewer.reviews import synthese
from services.reviewer.reviews.selection import select
from services.reviewer.reviews.validation import validate_synthese
from services.reviewer.store import Describe, claim, extend_claims, release_claims, store
from services.reviewer.texts.attempts import BY_A_MODEL, Attempt, Attempts, attempt
from services.reviewer.texts.author import Author
from services.reviewer.texts.duplicates import Rewriter
from services.reviewer.texts.holds import HOLD_NOTHING, HoldRules
from services.reviewer.texts.parked import park
from services.reviewer.texts.provenance import NO_IMPRINT, Imprint
from services.reviewer.texts.rulings import AvisResult, Claim, Fate
from services.reviewer.validation import Verdict
from shared.avis import HoldReason
from shared.clock import Clock
from shared.db.outages import is_passing, slowing_down
from shared.errors import SlowDown
from shared.logs import name_of
from shared.messages import ContractError, ReviewAvis
from shared.metrics import Metrics

log = structlog.get_logger()

CLAIMING_SECONDS = 300
"""Time after which a message begins no more texts; well below RabbitMQ's consumer timeout."""

STORE_EVERY_SECONDS = 0.5
"""Time that a finished text may wait to be stored with others: a kill can cost it."""

_STORE_SECONDS = 20.0
"""Part of the lease that is kept for the store, which may wait 10 s for a lock."""

_STORING_SECONDS = 1000.0
"""Time after which a message's texts are given up that cannot be stored; they are due again."""

_TIME_LIMIT_MS = 1_200_000


@dataclass(frozen=True, kw_only=True)
class ShardReviewer:
    """The generators of one process, shared by its messages, at work on one shard.

    No database connection is held while a text is being made.
    """

    engine: Engine
    generators: Executor
    author: Author
    clock: Clock
    metrics: Metrics
    lease_seconds: float
    sole_traders: bool
    # Returns the avis that may be made now: none while the run is paused. The others go back.
    admit: Callable[[Sequence[int]], Sequence[int]] = list
    # Adds what rows beside its own say of a subject.
    describe: Describe = dict
    rewriter: Rewriter | None = None
    hold_rules: HoldRules = HOLD_NOTHING
    imprint: Imprint = NO_IMPRINT
    # The process has one for all shards; without it every message is claimed at once.
    capacity: Capacity | None = None
    # Waits before a text where other work of the process goes first.
    give_way: Callable[[], None] = lambda: None

    def work(self, avis_ids: Sequence[int]) -> None:
        """Claim, write and store; what is not begun in time goes back to the relay.

        Raises SlowDown where a limit stands against some: they stay published, and come again with
        the message.
        """
        with (self.capacity or Capacity(self.clock)).holding(len(avis_ids)) as release_one:
            self._work(avis_ids, release_one)

    def _work(self, avis_ids: Sequence[int], release_one: Callable[[], None]) -> None:
        start = self.clock.monotonic_seconds()
        claims, fates = claim(
            self.engine,
            avis_ids,
            lease_seconds=self.lease_seconds,
            prompt_version=self.author.prompt_version,
            sole_traders=self.sole_traders,
            describe=self.describe,
        )
        self.count_fates(fates.values())
        pending = self._start(claims, start)
        for _ in range(len(avis_ids) - len(pending)):
            release_one()
        for future in pending:
            future.add_done_callback(lambda _: release_one())
        unwritten: list[AvisResult] = []
        while pending:
            done, pending = wait(pending, timeout=STORE_EVERY_SECONDS)
            results = [future.result() for future in done]
            made = [each for each in results if each.attempts]
            if made:
                fates |= self._store(made, claims, give_up_at=start + _STORING_SECONDS)
            unwritten += (each for each in results if _is_unwritten(each.claim.avis_id, fates))
        parked = park(self.engine, unwritten)
        left_over = [one for one in avis_ids if one not in parked and _is_unwritten(one, fates)]
        limits = [
            each.slow_down
            for each in unwritten
            if each.slow_down and not isinstance(each.slow_down, WaitForBatch)
        ]
        if left_over:
            release_claims(self.engine, left_over, claims, resend=not limits)
        if limits:
            # Raised again itself, it would hold the texts of this message.
            raise limits[-1].anew() from None

    def _start(self, claims: Sequence[Claim], start: float) -> set[Future[AvisResult]]:
        # It is asked after the claim: a pause that waits for all claims to end sees this one.
        admitted = set(self.admit([one.avis_id for one in claims]))
        return {
            # The context carries the names that the message's log lines have.
            self.generators.submit(copy_context().run, self._review, one, start=start)
            for one in claims
            if one.avis_id in admitted
        }

    def _review(self, claimed: Claim, *, start: float) -> AvisResult:
        """Begin only while half of the lease is left for call and store; else attempt nothing."""
        structlog.contextvars.bind_contextvars(avis_id=claimed.avis_id)
        self.give_way()
        window = CallWindow(
            begin_by=start + min(CLAIMING_SECONDS, self.lease_seconds / 2),
            finish_by=start + self.lease_seconds - min(_STORE_SECONDS, self.lease_seconds / 4),
        )
        if self.clock.stopping.is_set() or self.clock.monotonic_seconds() > window.begin_by:
            return self.result_of(claimed, Attempts(()))
        with self.metrics.generators_busy.track_inprogress():
            attempts = self._attempts(claimed, window)
        waits = attempts.made or isinstance(attempts.slow_down, WaitForBatch)
        if self.clock.stopping.is_set() and not waits:
            attempts = Attempts(())
        return self.result_of(claimed, attempts)

    def result_of(self, claimed: Claim, attempts: Attempts) -> AvisResult:
        """Return the result of these attempts, and count them."""
        for each in attempts.made:
            self.metrics.avis_attempt_seconds.observe(each.latency_seconds)
            for reason in each.reasons:
                self.metrics.avis_rejections.labels(reason=reason).inc()
        result = AvisResult(
            claim=claimed,
            attempts=attempts.made,
            label=self._label(claimed, attempts.made[-1]) if attempts.made else "",
            slow_down=attempts.slow_down,
        )
        if claimed.sources is None:
            return result
        selected = select(claimed.facts, claimed.sources)
        return replace(
            result,
            # A person has to look where it leaves an accusation out.
            hold_because=HoldReason.ACCUSATION if selected.accuses else None,
            quoted=tuple(each.digest for each in selected.quoted),
        )

    def _attempts(self, claimed: Claim, window: CallWindow) -> Attempts:
        facts, sources = claimed.facts, claimed.sources
        if sources is None:
            return self.author.write(facts, window)
        # A synthese quotes its sources: it asks no server, and is made once.
        quotation = attempt(
            lambda: synthese.generate(facts, sources),
            lambda text: Verdict(validate_synthese(text, facts, sources)),
            self.clock.monotonic_seconds,
        )
        return Attempts((quotation,))

    def _label(self, claimed: Claim, last: Attempt) -> str:
        now = self.clock.now()
        if claimed.sources is not None:
            return synthese.label(claimed.facts, claimed.sources, generated_on=day_in_france(now))
        return label(
            generated_at=now,
            fetched_at=claimed.fetched_at,
            ai=last.digital_source_type == BY_A_MODEL,
        )

    def _store(
        self, results: Sequence[AvisResult], claims: Sequence[Claim], *, give_up_at: float
    ) -> dict[int, Fate]:
        """Store, again and again beyond the lease: the texts may have been paid for.

        All claims of the message are kept meanwhile; those that nobody has taken over still count.
        """
        while True:
            try:
                fates = store(
                    self.engine,
                    results,
                    sole_traders=self.sole_traders,
                    rewriter=self.rewriter,
                    hold_rules=self.hold_rules,
                    imprint=self.imprint,
                )
            except (DBAPIError, PoolTimeoutError) as error:
                if not is_passing(error):
                    raise
                log.warning("cannot store", avis=len(results), cause=name_of(error))
                self._keep(claims)
                if self.clock.wait(1.0) or self.clock.monotonic_seconds() > give_up_at:
                    raise
            else:
                self.count_fates(fates.values())
                return fates

    def _keep(self, claims: Sequence[Claim]) -> None:
        with suppress(SlowDown), slowing_down():
            extend_claims(self.engine, claims, lease_seconds=self.lease_seconds)

    def count_fates(self, fates: Iterable[Fate]) -> None:
        for fate in fates:
            self.metrics.avis_reviewed.labels(outcome=fate.value).inc()


def _is_unwritten(avis_id: int, fates: Mapping[int, Fate]) -> bool:
    return fates.get(avis_id, Fate.POSTPONED) is Fate.POSTPONED


def declare_actors(broker: dramatiq.Broker, *reviewers: ShardReviewer) -> None:
    """Declare the actor; each shard has a reviewer, in order."""

    def review_avis(*others: Any, **wire: Any) -> None:
        message = ReviewAvis.from_wire(wire, *others)
        if message.shard >= len(reviewers):
            raise ContractError(f"ReviewAvis.shard is none of {len(reviewers)}")
        with slowing_down():
            reviewers[message.shard].work(message.avis_ids)

    dramatiq.actor(
        broker=broker,
        actor_name=ReviewAvis.ACTOR,
        queue_name=ReviewAvis.QUEUE,
        time_limit=_TIME_LIMIT_MS,
    )(review_avis)
