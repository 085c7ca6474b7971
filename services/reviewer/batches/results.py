"""The results of a batch: its answers are validated and stored as those of a call are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import structlog
from sqlalchemy import Connection

from services.reviewer.actors import ShardReviewer
from services.reviewer.batches import jobs
from services.reviewer.batches import lines as batch_lines
from services.reviewer.batches.answers import LOST, MISSING
from services.reviewer.batches.jobs import BatchJob, LineTotals
from services.reviewer.batches.lines import BatchLine
from services.reviewer.providers.answers import UNAVAILABLE, ModelAnswer
from services.reviewer.providers.bill import counted_usage, is_above
from services.reviewer.providers.prompt import reproaches
from services.reviewer.providers.settings import Provider, TokenUsage
from services.reviewer.store import store
from services.reviewer.texts.attempts import BY_A_MODEL, GENERATOR_FAILED, Attempt, Attempts
from services.reviewer.texts.author import ASKS
from services.reviewer.texts.rulings import AvisResult, Claim, Fate
from services.reviewer.texts.subject_rows import read_subjects
from services.reviewer.texts.subjects import AvisSubject
from shared.avis import PENDING
from shared.errors import SlowDown
from shared.logs import name_of, places_of

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _LineResult:
    """`result` is None where the avis is gone; `again` are reproaches to ask anew with."""

    line: BatchLine
    cost_eur: Decimal
    result: AvisResult | None
    again: tuple[str, ...] | None = None

    @property
    def accepted(self) -> bool:
        """Return whether the text of the answer is accepted, not that of a template after it."""
        return self.result is not None and self.result.attempts[0].accepted


@dataclass(frozen=True)
class BatchResults:
    """Stores the answers of one provider's batches in the shard of `reviewer`."""

    reviewer: ShardReviewer
    provider: Provider
    lease_seconds: float

    def store_answers(self, job: BatchJob, answers: Sequence[tuple[int, ModelAnswer]]) -> None:
        """Store the results of these answers, but for lines that have an answer already.

        Raises Overtaken when another process stores the same.
        """
        by_line: dict[int, ModelAnswer] = {}
        for line_id, answer in answers:
            by_line.setdefault(line_id, answer)
        ids = list(by_line)
        with self.reviewer.engine.connect() as connection:
            lines = batch_lines.read_lines(connection, job.id, ids=ids, most=len(ids))
            subjects: Mapping[int, AvisSubject] = read_subjects(
                connection, [line.avis_id for line in lines]
            )
        subjects = self.reviewer.describe(subjects)
        found = [self._result(job, line, by_line[line.id], subjects) for line in lines]
        if not found:
            return
        price = self.provider.price
        above = sum(is_above(by_line[line.id], self._most(line), price) for line in lines)
        if above:
            log.error("answers bill more than they can take", provider=job.provider, answers=above)
        totals = LineTotals(
            answered=sum(not by_line[each.line.id].failed for each in found),
            accepted=sum(each.accepted for each in found),
            spent_eur=sum((each.cost_eur for each in found), Decimal(0)),
        )

        def settle(connection: Connection, fates: Mapping[int, Fate]) -> None:
            self._settle(connection, job, found, fates)
            jobs.count(connection, job, totals, self.lease_seconds)

        fates = store(
            self.reviewer.engine,
            [each.result for each in found if each.result is not None],
            sole_traders=self.reviewer.sole_traders,
            rewriter=self.reviewer.rewriter,
            hold_rules=self.reviewer.hold_rules,
            imprint=self.reviewer.imprint,
            also=settle,
        )
        self.reviewer.count_fates(fates.values())

    def store_missing(self, job: BatchJob, *, most: int) -> bool:
        """Store that lines of a completed batch have no answer; return False when none is left."""
        return self._store_all(job, MISSING, most=most)

    def store_lost(self, job: BatchJob, *, most: int) -> bool:
        """Store that answers were perhaps paid for and are lost; return False when none is left."""
        return self._store_all(job, LOST, most=most)

    def _store_all(self, job: BatchJob, answer: ModelAnswer, *, most: int) -> bool:
        with self.reviewer.engine.connect() as connection:
            lines = batch_lines.read_lines(connection, job.id, most=most)
        self.store_answers(job, [(line.id, answer) for line in lines])
        return bool(lines)

    def _most(self, line: BatchLine) -> TokenUsage:
        return TokenUsage(tokens_in=line.tokens_in, tokens_out=self.provider.max_tokens)

    def _settle(
        self,
        connection: Connection,
        job: BatchJob,
        found: Sequence[_LineResult],
        fates: Mapping[int, Fate],
    ) -> None:
        """Ask again for lines, release their avis, or delete them."""
        waiting = [each for each in found if fates.get(each.line.avis_id) is Fate.POSTPONED]
        again = [(each.line, each.again) for each in waiting if each.again is not None]
        batch_lines.ask_again(connection, job.id, again)
        batch_lines.release(connection, [each.line for each in waiting if each.again is None])
        kept = {line.id for line, _ in again}
        batch_lines.drop(connection, [each.line.id for each in found if each.line.id not in kept])

    def _result(
        self,
        job: BatchJob,
        line: BatchLine,
        answer: ModelAnswer,
        subjects: Mapping[int, AvisSubject],
    ) -> _LineResult:
        most = self._most(line)
        usage = most if answer is LOST else counted_usage(answer, most)
        cost_eur = self.provider.price.cost_eur(usage)
        subject = subjects.get(line.avis_id)
        if subject is None:
            return _LineResult(line, cost_eur, None)
        token, hash_then = line.claim_token, line.facts_hash or ""
        claim = Claim.on(subject, avis_id=line.avis_id, token=token, facts_hash=hash_then)
        attempt, again = self._attempt(job, answer, usage, cost_eur), None
        outcome = subject.outcome(sole_traders=self.reviewer.sole_traders)
        if outcome != PENDING or subject.facts_hash != line.facts_hash:
            # The store discards the result. It keeps the avis due if the facts return by then.
            moved = SlowDown("the facts have changed", retry_after_seconds=0)
            attempts = Attempts((replace(attempt, text=None),), moved)
        else:
            with structlog.contextvars.bound_contextvars(avis_id=line.avis_id):
                attempts = self._validated(line, attempt, answer, claim)
            if attempts.slow_down is not None:
                last = attempts.made[-1]
                again = reproaches(last.reasons, last.own_words)
        return _LineResult(line, cost_eur, self.reviewer.result_of(claim, attempts), again)

    def _attempt(
        self, job: BatchJob, answer: ModelAnswer, usage: TokenUsage, cost_eur: Decimal
    ) -> Attempt:
        begun = job.submitted_at or job.created_at
        return Attempt(
            model=job.model,
            prompt_version=job.prompt_version,
            reasons=answer.reasons,
            latency_seconds=max(0.0, (self.reviewer.clock.now() - begun).total_seconds()),
            text=answer.text,
            digital_source_type=BY_A_MODEL,
            provider=job.provider,
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            tokens_cached=usage.tokens_cached,
            cost_eur=cost_eur,
            unanswered=int(answer is LOST),
        )

    def _validated(
        self, line: BatchLine, attempt: Attempt, answer: ModelAnswer, claim: Claim
    ) -> Attempts:
        """Return the attempt with its verdict; after the last one the template has its turn."""
        if answer.text is not None and not answer.reasons:
            attempt = self._filled(attempt, answer, claim)
        if attempt.accepted:
            return Attempts((attempt,))
        if line.asks + 1 < ASKS:
            later = SlowDown("waits for the next batch", retry_after_seconds=0)
            return Attempts((attempt,), later)
        answered = {*line.reasons, *attempt.reasons} != {UNAVAILABLE}
        cause = "rejected" if answered else "out_of_use"
        self.reviewer.metrics.avis_fallbacks.labels(cause=cause).inc()
        by_template = replace(self.reviewer.author, choice=None).write(claim.facts)
        return Attempts((attempt, *by_template.made))

    def _filled(self, attempt: Attempt, answer: ModelAnswer, claim: Claim) -> Attempt:
        try:
            filled = answer.filled(claim.facts)
            text = filled.text or ""
            verdict = self.reviewer.author.validate(text, claim.facts, filled.sentences)
        except Exception as error:  # noqa: BLE001  # a bug that one text meets must not hold up others
            log.warning("validation failed", error=name_of(error), at=places_of(error))
            return replace(attempt, reasons=(GENERATOR_FAILED,), error=type(error).__name__)
        reasons, own_words = verdict.reasons, verdict.own_words
        return replace(attempt, text=text, reasons=reasons, own_words=own_words)
