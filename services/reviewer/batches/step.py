"""The steps of a batch: submit, poll, store the answers, end."""

from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

import structlog
from sqlalchemy import Engine

from services.reviewer.actors import ShardReviewer
from services.reviewer.batches import holds, jobs
from services.reviewer.batches.answers import read_line
from services.reviewer.batches.client import COMPLETED, BatchClient, Gone, NotListed, RemoteBatch
from services.reviewer.batches.figures import CROWDED
from services.reviewer.batches.jobs import BatchJob
from services.reviewer.batches.lines import Overtaken, forget_facts
from services.reviewer.batches.requests import BatchBuilder
from services.reviewer.batches.results import BatchResults
from services.reviewer.providers.chat import BadRequest, ChatError, ChatRefused, RateLimited
from services.reviewer.providers.prompt import Prompt
from services.reviewer.providers.settings import Batch, Provider
from shared.backoff import doubling
from shared.errors import SlowDown

log = structlog.get_logger()

# One transaction stores this many.
_ANSWERS_AT_ONCE = 100
_TIMEOUTS_PER_LEASE = 4
_MOST_BACKOFF_SECONDS = 900.0
_ROOM_SECONDS = 5.0
GONE_AFTER = 3
"""Failures in a row after which a batch is lost that the server does not know."""

NOT_SUBMITTED_AFTER = 5
"""Failures in a row after which a batch has failed that the server never had."""


@dataclass(frozen=True)
class BatchSteps:
    """Advances the batches of one provider in one shard."""

    control: Engine
    reviewer: ShardReviewer
    client: BatchClient
    prompt: Prompt

    def builder(self, most_texts: int | None = None) -> BatchBuilder:
        """Return the builder of batches of at most this many texts."""
        size = min(self.batch.size, most_texts or self.batch.size)
        return BatchBuilder(
            self.provider,
            self.batch.model_copy(update={"size": size}),
            self.prompt,
            self.reviewer.sole_traders,
            self.reviewer.describe,
        )

    @property
    def provider(self) -> Provider:
        return self.client.provider

    @property
    def batch(self) -> Batch:
        return self.client.batch

    @property
    def lease_seconds(self) -> float:
        return _TIMEOUTS_PER_LEASE * self.provider.timeout_seconds

    @property
    def _results(self) -> BatchResults:
        return BatchResults(self.reviewer, self.provider, self.lease_seconds)

    @property
    def _engine(self) -> Engine:
        return self.reviewer.engine

    def advance(self, job: BatchJob) -> None:
        """Do the next step of a batch that was taken; a server's failure raises nothing."""
        try:
            if job.overdue:
                self._lose(job)
            elif job.state == "ready":
                self._submit(job)
            else:
                self._poll(job)
        except Overtaken:
            return
        except SlowDown:
            # The run is paused.
            jobs.schedule(self._engine, job, _ROOM_SECONDS)
        except RateLimited as error:
            seconds = max(error.retry_after_seconds or 0, self.batch.poll_seconds)
            jobs.schedule(self._engine, job, seconds)
        except ChatError as error:
            self._failed(job, error)

    def _failed(self, job: BatchJob, error: ChatError) -> None:
        log.warning("batch step failed", provider=job.provider, reason=str(error))
        failures = job.failures + 1
        if isinstance(error, Gone) and job.remote_id is not None and failures >= GONE_AFTER:
            with suppress(Overtaken):
                self._lose(job, because=error.what)
            return
        never_sent = job.remote_id is None and not isinstance(error, Gone)
        if never_sent and job.submit_begun_at is None and failures >= NOT_SUBMITTED_AFTER:
            self._end(job, "failed")
            return
        seconds = doubling(self.batch.poll_seconds, failures, most=_MOST_BACKOFF_SECONDS)
        jobs.schedule(self._engine, job, seconds, failed=True)

    def _submit(self, job: BatchJob) -> None:
        if job.submit_begun_at is not None:
            try:
                found = self.client.find(str(job.key))
            except NotListed:
                # The server may have it, and cannot say so.
                self._lose(job)
                return
            if found is not None:
                self._note(job, found)
                return
        if (job.model, job.prompt_version) != (self.provider.model, self.prompt.version):
            self._end(job, "cancelled", keep_lines=True)
            return
        if not holds.hold(self.control, job.key, job.provider, job.cost_eur):
            jobs.schedule(self._engine, job, _ROOM_SECONDS)
            return
        with self.builder().request_file(self._engine, job) as (file, texts):
            if texts == 0:
                self._end(job, "cancelled")
                return
            jobs.renew(self._engine, job, lease_seconds=self.lease_seconds)
            file_id = self.client.upload(file)
        jobs.begin_submit(self._engine, job, lease_seconds=self.lease_seconds)
        self._note(job, self._create(job, file_id))

    def _create(self, job: BatchJob, file_id: str) -> RemoteBatch:
        try:
            return self.client.submit(file_id, str(job.key))
        except BadRequest as error:
            log.error("batch refused", provider=job.provider, reason=str(error))  # noqa: TRY400  # its trace tells nothing
            self._end(job, "failed")
            raise Overtaken from None
        except (RateLimited, ChatRefused):
            jobs.note_not_submitted(self._engine, job)
            raise

    def _note(self, job: BatchJob, remote: RemoteBatch) -> None:
        jobs.note_submitted(self._engine, job, remote.id, self.batch)
        log.info("batch submitted", provider=job.provider, texts=job.texts)

    def _poll(self, job: BatchJob) -> None:
        assert job.remote_id is not None
        remote = self.client.read(job.remote_id)
        if remote.end is None:
            forget_facts(self._engine, job.id)
            jobs.schedule(self._engine, job, self.batch.poll_seconds)
            return
        results = self._results
        for file_id in remote.files:
            with self.client.answers(file_id, texts=job.texts) as lines:
                read = (read_line(line, job.structured_output) for line in lines)
                answers = (answer for answer in read if answer is not None)
                while chunk := list(islice(answers, _ANSWERS_AT_ONCE)):
                    results.store_answers(job, chunk)
                    self._settle(job)
        while remote.end == COMPLETED and results.store_missing(job, most=_ANSWERS_AT_ONCE):
            self._settle(job)
        # A crowded server has taken none of them: they wait for a smaller batch.
        crowded = remote.because in CROWDED
        self._end(job, remote.end, because=remote.because, keep_lines=crowded)

    def _settle(self, job: BatchJob) -> None:
        holds.settle(self.control, job.key, jobs.read_totals(self._engine, job))

    def _lose(self, job: BatchJob, *, because: str | None = None) -> None:
        """End a batch without news: each line counts as asked, and as perhaps paid for.

        So no text is paid for again and again.
        """
        if job.remote_id is None and job.submit_begun_at is None:
            self._end(job, "failed", because=because)
            return
        lost = False
        while self._results.store_lost(job, most=_ANSWERS_AT_ONCE):
            lost = True
            self._settle(job)
        self._end(job, "lost" if lost else COMPLETED, because=because)

    def _end(
        self, job: BatchJob, state: str, *, because: str | None = None, keep_lines: bool = False
    ) -> None:
        """Return its money to the budget, then release its avis."""
        now = jobs.read_totals(self._engine, job)
        holds.end(self.control, job.key, now)
        jobs.finish(self._engine, job, state, because=because, keep_lines=keep_lines)
        self.reviewer.metrics.batches_finished.labels(state=state).inc()
        write_log = log.info if now.accepted or state == "cancelled" else log.error
        counted = {"texts": job.texts, "answered": now.answered, "accepted": now.accepted}
        write_log("batch ended", provider=job.provider, state=state, because=because, **counted)


def give_up(control: Engine, reviewer: ShardReviewer, job: BatchJob) -> None:
    """Release the avis of a batch whose provider nobody knows any more.

    What the batch may have cost counts as spent.
    """
    now = jobs.read_totals(reviewer.engine, job)
    begun = job.remote_id is not None or job.submit_begun_at is not None
    spent_eur = now.spent_eur + (now.left_eur if begun else 0)
    holds.end(control, job.key, replace(now, spent_eur=spent_eur))
    state = "lost" if begun else "failed"
    jobs.finish(reviewer.engine, job, state)
    reviewer.metrics.batches_finished.labels(state=state).inc()
    log.error("batch lost", provider=job.provider, texts=job.texts, answered=now.answered)
