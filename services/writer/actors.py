"""The writer's actor, and the loop that keeps what no actor could handle."""

from typing import Any

import dramatiq
import structlog
from sqlalchemy import Engine, text

from services.writer.store import SliceResult, SliceStatus, write_slice
from shared.broker import DeadLetter, drain_dead_letters
from shared.clock import Clock
from shared.db.outages import persevere
from shared.messages import FETCH_QUEUE, REVIEW_QUEUE, WRITE_QUEUE, WriteSlice
from shared.metrics import Metrics

log = structlog.get_logger()

_TIME_LIMIT_MS = 5 * 60 * 1000
"""Far above the statement timeout, which ends whatever hangs."""

_ARCHIVE = text("""
    INSERT INTO dead_letters (queue, message_id, actor, reason, body)
    VALUES (:queue, coalesce(:message_id, encode(sha256(:body), 'hex')), :actor, :reason, :body)
    ON CONFLICT (queue, message_id) DO UPDATE SET
      reason = excluded.reason, body = excluded.body, archived_at = now(), replayed_at = NULL
""")


def declare_actors(
    broker: dramatiq.Broker, engine: Engine, clock: Clock, metrics: Metrics, *, sole_traders: bool
) -> None:
    def write(**wire: Any) -> None:
        message = WriteSlice.from_wire(wire)

        def write_once() -> SliceResult:
            with metrics.slice_write_seconds.time():
                return write_slice(engine, message, sole_traders=sole_traders)

        result = persevere(write_once, clock)
        _count(metrics, result)
        _tell(message, result)

    dramatiq.actor(
        broker=broker,
        actor_name=WriteSlice.ACTOR,
        queue_name=WriteSlice.QUEUE,
        time_limit=_TIME_LIMIT_MS,
    )(write)


def _count(metrics: Metrics, result: SliceResult) -> None:
    if result.status is not SliceStatus.WRITTEN:
        metrics.slices_skipped.labels(cause=result.status.value).inc()
        return
    for outcome in ("inserted", "updated", "unchanged", "failed"):
        metrics.rows_written.labels(outcome=outcome).inc(getattr(result, outcome))
    metrics.unknown_keys.inc(result.unknown_keys)


def _tell(message: WriteSlice, result: SliceResult) -> None:
    place = {"batch": message.batch_id, "page": message.page, "slice": message.slice}
    if result.failed:
        log.warning("records failed", failed=result.failed, **place)
    if result.batch_completed:
        log.info("batch complete", **place)


class DeadLetterArchive:
    """Moves dead letters of every queue to PostgreSQL, where they do not expire."""

    def __init__(self, broker: dramatiq.Broker, engine: Engine, metrics: Metrics) -> None:
        self._broker = broker
        self._engine = engine
        self._metrics = metrics

    def step(self) -> None:
        for queue in (FETCH_QUEUE, WRITE_QUEUE, REVIEW_QUEUE):
            drain_dead_letters(self._broker, queue, self._archive)

    def _archive(self, letter: DeadLetter) -> None:
        """One that is handed over twice is one row; a replayed one that failed again is new."""
        row = {
            "queue": letter.queue,
            "message_id": letter.message_id,
            "actor": letter.actor,
            "reason": letter.reason,
            "body": letter.body,
        }
        with self._engine.begin() as connection:
            connection.execute(_ARCHIVE, row)
        self._metrics.dead_letters_archived.inc()
        log.warning("dead letter archived", queue=letter.queue, reason=letter.reason)
