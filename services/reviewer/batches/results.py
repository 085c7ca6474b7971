"""From the answers of a batch to texts: judged and stored as those of a call are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import structlog
from sqlalchemy import Connection

from services.reviewer.actors import ShardReviewer
from services.reviewer.batches import jobs
from services.reviewer.batches import lines as batch_lines
from services.reviewer.batches.answers import MISSING, LineAnswer
from services.reviewer.batches.jobs import BatchJob
from services.reviewer.batches.lines import BatchLine
from services.reviewer.notices.slots import fill
from services.reviewer.providers.answers import UNAVAILABLE, ModelAnswer
from services.reviewer.providers.settings import Provider, TokenUsage
from services.reviewer.store import store
from services.reviewer.texts.attempts import BY_A_MODEL, GENERATOR_FAILED, Attempt, Attempts
from services.reviewer.texts.author import ASKS
from services.reviewer.texts.rulings import AvisResult, Claim, Fate
from services.reviewer.texts.subject_rows import read_subjects
from services.reviewer.texts.subjects import AvisSubject
from shared.avis import PENDING
from shared.errors import SlowDown
from shared.logs import places_of

log = structlog.get_logger()

_BYTES_PER_TOKEN = 4
# What was set aside is for half of the bytes that a token has as a rule.
_TOKENS_SET_ASIDE_PER_TOKEN = 2


@dataclass(frozen=True, slots=True)
class _Told:
    """`result` is None where there is nobody to write about; `again`: what it is asked for anew."""

    line: BatchLine
    cost_eur: Decimal
    result: AvisResult | None
    again: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Collecting:
    """For the batches of one provider; `reviewer` is that of their shard."""

    reviewer: ShardReviewer
    provider: Provider
    lease_seconds: float

    def collect(self, job: BatchJob, answers: Sequence[LineAnswer]) -> None:
        """Store what these answers come to; of a line that has its answer already, nothing.

        Raises Overtaken where another process stores the same.
        """
        by_line: dict[int, ModelAnswer] = {}
        for each in answers:
            by_line.setdefault(each.line_id, each.answer)
        ids = list(by_line)
        with self.reviewer.engine.connect() as connection:
            lines = batch_lines.read_lines(connection, job.id, ids=ids, most=len(ids))
            subjects = read_subjects(connection, [line.avis_id for line in lines])
        told = [self._tell(job, line, by_line[line.id], subjects) for line in lines]
        if not told:
            return
        answered = sum(by_line[each.line.id] is not MISSING for each in told)

        def settle(connection: Connection, fates: Mapping[int, Fate]) -> None:
            self._settle(connection, job, told, fates)
            spent = sum((each.cost_eur for each in told), Decimal(0))
            jobs.count(
                connection,
                job,
                answered=answered,
                spent_eur=spent,
                lease_seconds=self.lease_seconds,
            )

        fates = store(
            self.reviewer.engine,
            [each.result for each in told if each.result is not None],
            sole_traders=self.reviewer.sole_traders,
            rewrite=self.reviewer.rewrite,
            also=settle,
        )
        for fate in fates.values():
            self.reviewer.metrics.avis_reviewed.labels(outcome=fate.value).inc()

    def collect_missing(self, job: BatchJob, *, most: int) -> bool:
        """The same for lines without an answer in a batch that is complete; False: none is left."""
        with self.reviewer.engine.connect() as connection:
            lines = batch_lines.read_lines(connection, job.id, most=most)
        self.collect(job, [LineAnswer(line.id, MISSING) for line in lines])
        return bool(lines)

    def _settle(
        self,
        connection: Connection,
        job: BatchJob,
        told: Sequence[_Told],
        fates: Mapping[int, Fate],
    ) -> None:
        """What becomes of the lines: asked for again, given back, or done with."""
        waiting = [each for each in told if fates.get(each.line.avis_id) is Fate.POSTPONED]
        again = [(each.line, each.again) for each in waiting if each.again is not None]
        batch_lines.ask_again(connection, job.id, again)
        batch_lines.release(connection, [each.line for each in waiting if each.again is None])
        kept = {line.id for line, _ in again}
        batch_lines.drop(connection, [each.line.id for each in told if each.line.id not in kept])

    def _tell(
        self,
        job: BatchJob,
        line: BatchLine,
        answer: ModelAnswer,
        subjects: Mapping[int, AvisSubject],
    ) -> _Told:
        usage = answer.usage or self._estimate(line, answer)
        cost_eur = self.provider.price.cost_eur(usage)
        subject = subjects.get(line.avis_id)
        if subject is None:
            return _Told(line, cost_eur, None)
        claim = Claim(
            avis_id=line.avis_id,
            token=line.claim_token,
            siren=subject.unite.siren,
            facts=subject.facts,
            facts_hash=line.facts_hash or "",
            fetched_at=subject.fetched_at,
        )
        attempt = Attempt(
            model=job.model,
            prompt_version=job.prompt_version,
            reasons=answer.reasons,
            latency_seconds=self._latency_seconds(job),
            text=answer.text,
            digital_source_type=BY_A_MODEL,
            provider=job.provider,
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            tokens_cached=usage.tokens_cached,
            cost_eur=cost_eur,
        )
        if not self._stands(line, subject):
            # The store discards it; should the facts be back by then, it is asked for anew.
            attempt = replace(attempt, text=None)
            moved = SlowDown("the facts have changed", retry_after_seconds=0)
            return _Told(
                line, cost_eur, self.reviewer.result_of(claim, Attempts((attempt,), moved))
            )
        attempt = self._validated(attempt, claim)
        if attempt.accepted:
            return _Told(line, cost_eur, self.reviewer.result_of(claim, Attempts((attempt,))))
        if line.asks + 1 < ASKS:
            later = SlowDown("waits for the next batch", retry_after_seconds=0)
            result = self.reviewer.result_of(claim, Attempts((attempt,), later))
            return _Told(line, cost_eur, result, attempt.reasons)
        return _Told(line, cost_eur, self._fallen_back(line, claim, attempt))

    def _stands(self, line: BatchLine, subject: AvisSubject) -> bool:
        outcome = subject.outcome(sole_traders=self.reviewer.sole_traders)
        return outcome == PENDING and subject.facts_hash == line.facts_hash

    def _validated(self, attempt: Attempt, claim: Claim) -> Attempt:
        if attempt.text is None or attempt.reasons:
            return attempt
        try:
            filled = fill(attempt.text, claim.facts)
            reasons = tuple(self.reviewer.author.validate(filled, claim.facts))
        except Exception as error:  # noqa: BLE001  # a bug that one text meets must not hold up others
            log.warning("validation failed", error=type(error).__name__, at=places_of(error))
            return replace(attempt, reasons=(GENERATOR_FAILED,), error=type(error).__name__)
        return replace(attempt, text=filled, reasons=reasons)

    def _fallen_back(self, line: BatchLine, claim: Claim, attempt: Attempt) -> AvisResult:
        answered = {*line.reasons, *attempt.reasons} != {UNAVAILABLE}
        cause = "rejected" if answered else "out_of_use"
        self.reviewer.metrics.avis_fallbacks.labels(cause=cause).inc()
        by_template = replace(self.reviewer.author, choice=None).write(claim.facts)
        return self.reviewer.result_of(claim, Attempts((attempt, *by_template.made)))

    def _estimate(self, line: BatchLine, answer: ModelAnswer) -> TokenUsage:
        """Of an answer that tells no usage."""
        written = len((answer.text or "").encode()) // _BYTES_PER_TOKEN + 1
        return TokenUsage(
            tokens_in=line.tokens_in // _TOKENS_SET_ASIDE_PER_TOKEN,
            tokens_out=written if answer.text else self.provider.max_tokens,
        )

    def _latency_seconds(self, job: BatchJob) -> float:
        begun = job.submitted_at or job.created_at
        return max(0.0, (self.reviewer.clock.now() - begun).total_seconds())
