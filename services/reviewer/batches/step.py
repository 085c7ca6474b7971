"""One batch, step by step: submitted, polled, collected; and what becomes of one that fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import structlog
from sqlalchemy import Engine

from services.reviewer.actors import ShardReviewer
from services.reviewer.batches import holds, jobs
from services.reviewer.batches.answers import LineAnswer, read_line
from services.reviewer.batches.client import BatchClient, BatchStatus, Gone, NotListed, Remote
from services.reviewer.batches.jobs import BatchJob
from services.reviewer.batches.lines import Overtaken, forget_facts
from services.reviewer.batches.requests import BatchForm
from services.reviewer.batches.results import Collecting
from services.reviewer.providers.chat import BadRequest, ChatError, ChatRefused, RateLimited
from services.reviewer.providers.meter import BudgetReached
from services.reviewer.providers.settings import Batch, Provider
from shared.backoff import doubling

log = structlog.get_logger()

# Each is one transaction.
_ANSWERS_AT_ONCE = 100
_TIMEOUTS_PER_LEASE = 4
_MOST_BACKOFF_SECONDS = 900.0
_ROOM_SECONDS = 5.0
GONE_AFTER = 3
NOT_SUBMITTED_AFTER = 5
"""Failures in a row."""


@dataclass(frozen=True)
class Working:
    """On the batches of one provider in one shard."""

    control: Engine
    reviewer: ShardReviewer
    provider: Provider
    batch: Batch
    client: BatchClient
    forming: BatchForm

    @property
    def lease_seconds(self) -> float:
        return _TIMEOUTS_PER_LEASE * self.provider.timeout_seconds

    @property
    def _engine(self) -> Engine:
        return self.reviewer.engine

    def look(self, job: BatchJob) -> None:
        """One step of a batch that was taken. What a server does is no error here."""
        try:
            if job.overdue:
                give_up(self.control, self.reviewer, job)
            elif job.state == "ready":
                self._submit(job)
            else:
                self._poll(job)
        except Overtaken:
            return
        except BudgetReached:
            jobs.postpone(self._engine, job, _ROOM_SECONDS)
        except RateLimited as error:
            seconds = max(error.retry_after_seconds or 0, self.batch.poll_seconds)
            jobs.postpone(self._engine, job, seconds)
        except ChatError as error:
            self._failed(job, error)

    def _failed(self, job: BatchJob, error: ChatError) -> None:
        log.warning("a batch failed for now", provider=job.provider, reason=str(error))
        failures = job.failures + 1
        if isinstance(error, Gone) and job.remote_id is not None and failures >= GONE_AFTER:
            give_up(self.control, self.reviewer, job)
            return
        surely_not_there = job.remote_id is None and not isinstance(error, Gone)
        if surely_not_there and job.submit_begun_at is None and failures >= NOT_SUBMITTED_AFTER:
            self._end(job, "failed")
            return
        seconds = doubling(self.batch.poll_seconds, failures, most=_MOST_BACKOFF_SECONDS)
        jobs.postpone(self._engine, job, seconds, failed=True)

    def _submit(self, job: BatchJob) -> None:
        if job.submit_begun_at is not None:
            try:
                found = self.client.find(str(job.key))
            except NotListed:
                # It may be there, and nobody can tell.
                give_up(self.control, self.reviewer, job)
                return
            if found is not None:
                self._note(job, found)
                return
        if (job.model, job.prompt_version) != (self.provider.model, self.forming.prompt.version):
            self._end(job, "cancelled", keep_lines=True)
            return
        if not holds.hold(self.control, job.key, job.provider, job.cost_eur):
            jobs.postpone(self._engine, job, _ROOM_SECONDS)
            return
        with self.forming.request_file(self._engine, job) as (file, texts):
            if texts == 0:
                self._end(job, "cancelled")
                return
            jobs.renew(self._engine, job, lease_seconds=self.lease_seconds)
            file_id = self.client.upload(file)
        jobs.begin_submit(self._engine, job, lease_seconds=self.lease_seconds)
        self._note(job, self._create(job, file_id))

    def _create(self, job: BatchJob, file_id: str) -> Remote:
        try:
            return self.client.submit(file_id, str(job.key))
        except BadRequest as error:
            log.error("a batch was refused", provider=job.provider, reason=str(error))  # noqa: TRY400  # its trace tells nothing
            self._end(job, "failed")
            raise Overtaken from None
        except (RateLimited, ChatRefused):
            jobs.note_not_submitted(self._engine, job)
            raise

    def _note(self, job: BatchJob, remote: Remote) -> None:
        jobs.note_submitted(
            self._engine,
            job,
            remote.id,
            hours=self.batch.window_hours,
            next_seconds=self.batch.poll_seconds,
        )
        log.info("a batch is submitted", provider=job.provider, texts=job.texts)

    def _poll(self, job: BatchJob) -> None:
        assert job.remote_id is not None
        remote = self.client.read(job.remote_id)
        if remote.status is BatchStatus.UNDER_WAY:
            forget_facts(self._engine, job.id)
            jobs.postpone(self._engine, job, self.batch.poll_seconds)
            return
        collecting = Collecting(self.reviewer, self.provider, self.lease_seconds)
        for file_id in remote.files:
            with self.client.answers(file_id) as lines:
                answers = _answers(lines, job)
                while some := list(islice(answers, _ANSWERS_AT_ONCE)):
                    collecting.collect(job, some)
                    self._settle(job)
        while remote.status is BatchStatus.COMPLETED and collecting.collect_missing(
            job, most=_ANSWERS_AT_ONCE
        ):
            self._settle(job)
        self._end(job, remote.status.value)

    def _settle(self, job: BatchJob) -> None:
        now = jobs.read_sum(self._engine, job)
        holds.settle(
            self.control,
            job.key,
            spent_eur=now.spent_eur,
            reserved_eur=now.left_eur,
            calls=now.answered,
        )

    def _end(self, job: BatchJob, state: str, *, keep_lines: bool = False) -> None:
        """Give back what it holds, then what it was to write."""
        now = jobs.read_sum(self._engine, job)
        holds.end(self.control, job.key, spent_eur=now.spent_eur, calls=now.answered)
        jobs.finish(self._engine, job, state, keep_lines=keep_lines)
        self.reviewer.metrics.batches_finished.labels(state=state).inc()
        told = log.info if now.answered or state == "cancelled" else log.error
        told(
            "a batch has ended",
            provider=job.provider,
            state=state,
            texts=job.texts,
            answered=now.answered,
        )


def give_up(control: Engine, reviewer: ShardReviewer, job: BatchJob) -> None:
    """Make the avis of a batch due that nobody hears of any more; it may have been billed."""
    now = jobs.read_sum(reviewer.engine, job)
    begun = job.remote_id is not None or job.submit_begun_at is not None
    spent_eur = now.spent_eur + (now.left_eur if begun else 0)
    holds.end(control, job.key, spent_eur=spent_eur, calls=now.answered)
    state = "lost" if begun else "failed"
    jobs.finish(reviewer.engine, job, state)
    reviewer.metrics.batches_finished.labels(state=state).inc()
    log.error("a batch is lost", provider=job.provider, texts=job.texts, answered=now.answered)


def _answers(lines: Iterator[bytes], job: BatchJob) -> Iterator[LineAnswer]:
    for line in lines:
        answer = read_line(line, job.structured_output)
        if answer is not None:
            yield answer
