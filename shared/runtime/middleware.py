"""The middleware of every actor: its metrics, and its message and run in each log line.

dramatiq logs and swallows errors of these hooks: correctness must not depend on them.
"""

import threading
import time
from typing import Any

import dramatiq
import structlog

from shared.errors import Rejected, SlowDown
from shared.metrics import Metrics

# The fields of a message that tell its subject.
_NAMED_IN_LOGS = ("batch_id", "page", "fetch_id", "slice", "shard")
# An option that each message passes on to those that it causes; no contract names it.
_RUN = "run_id"


class ActorMetrics(dramatiq.Middleware):
    """Counts outcomes, run time, queue wait and work in progress; names messages in logs."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._started = threading.local()
        # The starts of an actor's messages, by their threads.
        self._in_progress: dict[str, dict[int, float]] = {}

    def in_progress(self, actor: str) -> int:
        """Return how many messages of an actor are being worked on in this process."""
        return len(self._in_progress.get(actor, ()))

    def after_declare_actor(
        self, _broker: dramatiq.Broker, actor: dramatiq.Actor[Any, Any]
    ) -> None:
        self._metrics.declare_actor(actor.actor_name)
        starts = self._in_progress.setdefault(actor.actor_name, {})
        oldest = self._metrics.message_oldest_start.labels(actor=actor.actor_name)
        oldest.set_function(lambda: min(list(starts.values()), default=0.0))

    def before_process_message(
        self, _broker: dramatiq.Broker, message: dramatiq.MessageProxy
    ) -> None:
        self._started.seconds = time.monotonic()
        self._in_progress[message.actor_name][threading.get_ident()] = time.time()
        waited_seconds = max(0.0, time.time() - message.message_timestamp / 1000)
        self._metrics.message_wait_seconds.labels(actor=message.actor_name).observe(waited_seconds)
        self._metrics.messages_in_progress.labels(actor=message.actor_name).inc()
        structlog.contextvars.bind_contextvars(
            message_id=message.message_id,
            actor=message.actor_name,
            attempt=message.options.get("retries", 0) + 1,
            **_named(message),
        )

    def after_process_message(
        self,
        _broker: dramatiq.Broker,
        message: dramatiq.MessageProxy,
        *,
        result: object = None,  # noqa: ARG002  # dramatiq passes it by name
        exception: BaseException | None = None,
    ) -> None:
        actor = message.actor_name
        self._in_progress[actor].pop(threading.get_ident(), None)
        run_seconds = time.monotonic() - self._started.seconds
        self._metrics.message_seconds.labels(actor=actor).observe(run_seconds)
        self._metrics.messages_in_progress.labels(actor=actor).dec()
        self._metrics.messages.labels(actor=actor, outcome=_outcome_of(exception)).inc()
        structlog.contextvars.clear_contextvars()

    def before_enqueue(
        self, _broker: dramatiq.Broker, message: dramatiq.Message[Any], _delay: int | None
    ) -> None:
        run_id = structlog.contextvars.get_contextvars().get(_RUN)
        if run_id is not None:
            message.options.setdefault(_RUN, run_id)


def _named(message: dramatiq.MessageProxy) -> dict[str, int]:
    named = {_RUN: message.options.get(_RUN)}
    named |= {name: message.kwargs.get(name) for name in _NAMED_IN_LOGS}
    # A message that breaks its contract may hold anything there.
    return {name: value for name, value in named.items() if type(value) is int}


def _outcome_of(exception: BaseException | None) -> str:
    match exception:
        case None:
            return "done"
        case Rejected():
            return "rejected"
        case SlowDown():
            return "slowed_down"
        case _:
            return "retried"
