"""The writer's actor."""

from collections.abc import Sequence
from typing import Any

import dramatiq
import structlog
from sqlalchemy import Engine

from services.writer.slices.drift import Drift
from services.writer.slices.receipts import OUTCOMES
from services.writer.store import SliceResult, SliceStatus, write_slice
from shared.clock import Clock
from shared.db.outages import persevere
from shared.messages import WriteSlice
from shared.metrics import Metrics

log = structlog.get_logger()

_TIME_LIMIT_MS = 5 * 60 * 1000
"""Far above the statement timeout, which ends a statement that hangs."""


def declare_actors(  # noqa: PLR0913  one parameter per collaborator
    broker: dramatiq.Broker,
    engine: Engine,
    clock: Clock,
    metrics: Metrics,
    *,
    sole_traders: bool,
    shards: Sequence[Engine] = (),
) -> None:
    drift = Drift()

    def write(*others: Any, **wire: Any) -> None:
        message = WriteSlice.from_wire(wire, *others)

        def write_once() -> SliceResult:
            with metrics.slice_write_seconds.time():
                return write_slice(
                    engine, message, sole_traders=sole_traders, shards=shards, drift=drift
                )

        result = persevere(write_once, clock)
        _count(metrics, result)
        _log(result)
        drift.remember(keys=result.unknown_keys, codes=result.unknown_codes)

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
    for outcome in OUTCOMES:
        metrics.rows_written.labels(outcome=outcome).inc(getattr(result, outcome))
    metrics.unknown_keys.inc(len(result.unknown_keys))


def _log(result: SliceResult) -> None:
    if result.status is SliceStatus.CANCELLED:
        log.info("slice of a cancelled run dropped")
    if result.failed:
        log.warning("records failed", failed=result.failed)
    if result.batch_completed:
        log.info("batch complete")
