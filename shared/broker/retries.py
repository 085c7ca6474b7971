"""The middleware that publishes the retry of a failed message: `verdicts` decides, it applies."""

import itertools
import logging
import threading
import time
from typing import Any

import dramatiq
from dramatiq.middleware import Shutdown, TimeLimit

from shared.backoff import doubling
from shared.broker.errors import BrokerBlocked, BrokerError
from shared.broker.verdicts import LONGEST_HOLD_SECONDS, Action, decide, hold_seconds
from shared.errors import Rejected, SlowDown
from shared.logs import name_of

_MOST_PAUSE_SECONDS = 15.0


class Delivery(dramatiq.MessageProxy):
    """A received message; it goes back to its queue unless it was decided on."""

    def __init__(self, message: dramatiq.Message[Any]) -> None:
        super().__init__(message)
        self.decided = False
        self.held = False
        """It returns when the consumer ends: returned now, it would come to a stopping worker."""
        self.deliveries = 0
        """Earlier deliveries, as the broker counts them; after too many it rejects the message."""

    @property
    def is_lost(self) -> bool:
        """Return whether the broker took the message back because its channel closed."""
        return False


class SafeRetries(dramatiq.Middleware):
    """Publishes the retry, confirmed, before the failed message is acknowledged.

    An error in here leaves the message undecided, so that it returns to its queue. dramatiq itself
    would swallow the error and acknowledge the message.
    """

    def __init__(self) -> None:
        self._logger = logging.getLogger(__name__)
        self._stopping = threading.Event()

    def before_worker_boot(self, _broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        self._stopping.clear()

    def before_worker_shutdown(self, _broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        self._stopping.set()

    def after_declare_actor(
        self, _broker: dramatiq.Broker, actor: dramatiq.Actor[Any, Any]
    ) -> None:
        # The worker then logs these errors in one line, without a traceback.
        actor.options.setdefault("throws", (Rejected, SlowDown))

    def after_process_message(
        self,
        broker: dramatiq.Broker,
        message: dramatiq.MessageProxy,
        *,
        result: object = None,  # noqa: ARG002  # dramatiq passes it by name
        exception: BaseException | None = None,
    ) -> None:
        assert isinstance(message, Delivery)
        if exception is None:
            message.decided = True
            return
        if isinstance(exception, Shutdown):
            message.held = True
            return
        retries = int(message.options.get("retries", 0))
        verdict = decide(exception, retries)
        if verdict.action is Action.REJECT:
            message.fail()
            message.decided = True
            return
        counted = retries + 1 if verdict.action is Action.RETRY else retries
        self._publish_again(broker, message, exception, verdict.delay_ms, counted)

    def after_skip_message(self, _broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
        assert isinstance(message, Delivery)
        message.decided = True

    def _publish_again(
        self,
        broker: dramatiq.Broker,
        message: Delivery,
        exception: BaseException,
        delay_ms: int,
        retries: int,
    ) -> None:
        # The class of the error is kept; its text may hold values that must not be stored.
        options = {"retries": retries, "last_error": name_of(exception)}
        retry = message.copy(options=options)
        begun_seconds = time.monotonic()
        patience_seconds = hold_seconds(message.deliveries)
        for failures in itertools.count():
            if message.is_lost:
                return
            try:
                broker.enqueue(retry, delay=delay_ms)
            except BrokerError as error:
                self._logger.warning(
                    "Retry of message %s not published: %s", message.message_id, error
                )
                if isinstance(error, BrokerBlocked):
                    # If its work were done again, its retry would meet the same alarm.
                    patience_seconds = LONGEST_HOLD_SECONDS
            else:
                message.decided = True
                return
            if self._stopping.wait(doubling(1.0, failures, most=_MOST_PAUSE_SECONDS)):
                message.held = True
                return
            if time.monotonic() > begun_seconds + patience_seconds:
                return


class WorkerTimeLimit(TimeLimit):
    """dramatiq's time limit, started with a worker: we do not use dramatiq's command line."""

    def before_worker_boot(self, _broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        if not getattr(self, "_started", False):
            self._started = True
            self.manager.start()
