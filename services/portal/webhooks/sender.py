"""The sender: it tells each receiver of what has changed, in order, until the receiver says 2xx.

A message is fixed before it is sent: who is killed before the answer is noted sends the same one
again, under the same id. No transaction is open while a receiver is asked: it would hold the log
of changes up for everybody.
"""

import datetime as dt
import random
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import NamedTuple

import structlog
from sqlalchemy import Engine, text

from services.portal.webhooks.messages import MOST_CHANGES, Interest, Message, read_message
from services.portal.webhooks.receivers import BY_A_PERSON
from services.portal.webhooks.signatures import headers_of
from shared import page_changes
from shared.backoff import doubling
from shared.clock import Clock
from shared.http.client import Bounds, HttpClient
from shared.http.dates import moment_in, our_lead_seconds
from shared.http.egress import Egress
from shared.http.errors import HttpError
from shared.logs import name_of
from shared.metrics import Metrics
from shared.page_changes import Cursor, CursorLost

log = structlog.get_logger()

BOUNDS = Bounds(seconds=10.0, body_bytes=1 << 16)
SENDERS = 8
"""Receivers that are asked at the same time by a process."""
MOST_IN_A_ROW = 10
"""Messages of a place, after which other receivers have their turn."""
GIVEN_UP_AFTER = dt.timedelta(days=5)
KEPT_DAYS = 30
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 5.0, 6 * 3600.0
# Longer than an exchange: who has claimed a place and is killed leaves it to others after that.
_CLAIM_SECONDS = 60

_CLAIM = text("""
    UPDATE webhook_places p SET due_at = now() + make_interval(secs => :claim_seconds)
    FROM (
      SELECT webhook_id, shard FROM webhook_places
      WHERE due_at <= now() AND webhook_id IN (
        SELECT id FROM webhooks WHERE paused_because IS NULL)
      ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED) due
    JOIN webhooks w ON w.id = due.webhook_id
    WHERE (p.webhook_id, p.shard) = (due.webhook_id, due.shard)
    RETURNING p.webhook_id, p.shard, p.position, p.pending_rows, p.failures,
      w.url, w.secret, w.kinds, w.departements
""")
_BEGIN = text("""
    UPDATE webhook_places SET pending_rows = :rows
    WHERE webhook_id = :webhook_id AND shard = :shard AND position = :position
""")
# Nobody moves a place on that was moved since: it was claimed for less than the exchange took.
_MOVE = text("""
    UPDATE webhook_places SET position = :next, pending_rows = 0, failures = 0,
      failing_since = NULL, due_at = now() + make_interval(secs => :wait_seconds)
    WHERE webhook_id = :webhook_id AND shard = :shard AND position = :position
""")
_PUT_OFF = text("""
    UPDATE webhook_places SET failures = failures + 1,
      failing_since = coalesce(failing_since, now()),
      due_at = now() + make_interval(secs => :wait_seconds)
    WHERE webhook_id = :webhook_id AND shard = :shard AND position = :position
    RETURNING now() - failing_since AS failing_for
""")
_GIVE_BACK = text("""
    UPDATE webhook_places SET due_at = now()
    WHERE webhook_id = :webhook_id AND shard = :shard AND position = :position
""")
_PAUSE = text("UPDATE webhooks SET paused_because = :because WHERE id = :webhook_id")
_FAILS = text("""
    UPDATE webhook_places SET failing_since = coalesce(failing_since, now())
    WHERE webhook_id = :webhook_id AND shard = :shard
""")
_NOTE = text("""
    INSERT INTO webhook_attempts (webhook_id, message_id, outcome, status, changes)
    VALUES (:webhook_id, :message_id, :outcome, :status, :changes)
""")
_FORGET = text("""
    DELETE FROM webhook_attempts WHERE id IN (
      SELECT id FROM webhook_attempts
      WHERE attempted_at < now() - make_interval(days => :days) LIMIT 5000)
""")
_FAILING = text("""
    SELECT coalesce(max(CAST(extract(epoch FROM now() - p.failing_since) AS double precision)), 0),
      count(DISTINCT w.id) FILTER (WHERE w.paused_because IS NOT NULL)
    FROM webhook_places p JOIN webhooks w ON w.id = p.webhook_id
    WHERE w.paused_because IS DISTINCT FROM :by_a_person
""")


_PLACES = text("""
    SELECT p.shard, p.position FROM webhook_places p JOIN webhooks w ON w.id = p.webhook_id
    WHERE w.paused_because IS DISTINCT FROM :by_a_person
""")


class _Taken(NamedTuple):
    outcome: str
    status: int | None
    wait_seconds: float | None = None
    """The time that a receiver names."""


class _DuePlace(NamedTuple):
    """A place that this process has claimed, with its receiver."""

    webhook_id: int
    shard: int
    position: str
    pending_rows: int
    failures: int
    url: str
    secret: str
    kinds: list[str]
    departements: list[str]

    @property
    def place(self) -> dict[str, object]:
        return {"webhook_id": self.webhook_id, "shard": self.shard, "position": self.position}

    @property
    def message_id(self) -> str:
        """The same for the same changes, however often they are sent."""
        return f"msg_{self.webhook_id}_{self.shard}_{self.position.replace('.', '_')}"

    @property
    def interest(self) -> Interest:
        return Interest(self.kinds, self.departements)


class WebhookDatabases(NamedTuple):
    control: Engine
    shards: Sequence[Engine]


class WebhookSender:
    """Sends what is due; a place whose receiver has all is looked at again after the interval."""

    def __init__(
        self,
        databases: WebhookDatabases,
        egress: Egress,
        clock: Clock,
        metrics: Metrics,
        *,
        interval_seconds: float,
    ) -> None:
        self._control, self._shards = databases
        self._clock = clock
        self._metrics = metrics
        self._interval_seconds = interval_seconds
        self._http = HttpClient(BOUNDS, pool_size=SENDERS, egress=egress)
        self._senders = ThreadPoolExecutor(SENDERS, thread_name_prefix="webhook")
        self._free = threading.BoundedSemaphore(SENDERS)

    def step(self) -> None:
        """Begin to send what is due, as long as a thread is free; then measure, and forget."""
        while not self._clock.stopping.is_set() and self._free.acquire(blocking=False):
            due = self._claim()
            if due is None:
                self._free.release()
                break
            self._senders.submit(self._tell, due)
        with self._control.begin() as connection:
            connection.execute(_FORGET, {"days": KEPT_DAYS})
        self._measure()

    def _measure(self) -> None:
        """Count what a person has not paused: a receiver that the sender gave up still fails."""
        told = {"by_a_person": BY_A_PERSON}
        with self._control.connect() as connection:
            failing_seconds, paused = connection.execute(_FAILING, told).one()
            places = connection.execute(_PLACES, told).all()
        oldest = [at for row in places if (at := self._oldest(row.shard, row.position))]
        seconds = (self._clock.now() - min(oldest)).total_seconds() if oldest else 0.0
        self._metrics.webhook_failing_seconds.set(failing_seconds)
        self._metrics.webhook_paused_receivers.set(paused)
        self._metrics.webhook_oldest_undelivered_seconds.set(max(seconds, 0.0))

    def _oldest(self, shard: int, position: str) -> dt.datetime | None:
        """Return when the first change behind a place came; None where none is kept."""
        try:
            with self._shards[shard].connect() as connection:
                found = page_changes.read(connection, Cursor.parse(position), 1)
        except CursorLost:
            return None
        return found.rows[0].changed_at if found.rows else None

    def close(self) -> None:
        """Wait for what is being sent."""
        self._senders.shutdown()
        self._http.close()

    def _claim(self) -> _DuePlace | None:
        with self._control.begin() as connection:
            row = connection.execute(_CLAIM, {"claim_seconds": _CLAIM_SECONDS}).one_or_none()
        return None if row is None else _DuePlace(*row)

    def _tell(self, due: _DuePlace) -> None:
        """Send message after message, until the receiver has all or takes one no more."""
        following: _DuePlace | None = due
        try:
            for _ in range(MOST_IN_A_ROW):
                if following is None or self._clock.stopping.is_set():
                    break
                following = self._send(following)
            if following is not None:
                with self._control.begin() as connection:
                    connection.execute(_GIVE_BACK, following.place)
        except Exception as error:  # noqa: BLE001  # a claim ends, and somebody tries again
            log.warning("a message was not sent", webhook=due.webhook_id, error=name_of(error))
        finally:
            self._free.release()

    def _send(self, due: _DuePlace) -> _DuePlace | None:
        """Send the next message of a place, the one that was begun first; return what is next."""
        try:
            message = self._message(due)
        except CursorLost:
            self._pause(due, "what it missed is kept no more: ./sirenade portal webhooks resume")
            return None
        if not message.changes:
            return self._move(due, message)
        with self._control.begin() as connection:
            if connection.execute(_BEGIN, {**due.place, "rows": message.rows}).rowcount == 0:
                return None
        answer = self._ask(due, message.body)
        self._metrics.webhook_deliveries.labels(outcome=answer.outcome).inc()
        if answer.outcome == "delivered":
            return self._move(due, message, answer)
        self._put_off(due, message, answer)
        return None

    def _message(self, due: _DuePlace) -> Message:
        rows = due.pending_rows or MOST_CHANGES
        with self._shards[due.shard].connect() as connection:
            return read_message(connection, Cursor.parse(due.position), rows, due.interest)

    def _ask(self, due: _DuePlace, body: bytes) -> _Taken:
        at_seconds = int(self._clock.now().timestamp())
        headers = headers_of(due.secret, due.message_id, body, at_seconds=at_seconds)
        try:
            # The status is the whole answer: nobody waits for a body.
            with self._http.stream("POST", due.url, data=body, headers=headers) as answer:
                status, told = answer.status, answer.headers
        except HttpError:
            return _Taken("unreachable", None)
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return _Taken("delivered", status)
        return _Taken("refused", status, _asked_wait(told))

    def _move(
        self, due: _DuePlace, message: Message, answer: _Taken | None = None
    ) -> _DuePlace | None:
        """Move the place behind the message; return the place where more may follow."""
        is_last = not message.rows
        wait = self._interval_seconds if is_last else _CLAIM_SECONDS
        moved = {**due.place, "next": str(message.next), "wait_seconds": wait}
        with self._control.begin() as connection:
            if answer is not None:
                connection.execute(_NOTE, _note(due, message, answer))
            has_moved = connection.execute(_MOVE, moved).rowcount == 1
        if is_last or not has_moved:
            return None
        return due._replace(position=str(message.next), pending_rows=0, failures=0)

    def _put_off(self, due: _DuePlace, message: Message, answer: _Taken) -> None:
        wait = max(_wait_seconds(due.failures), answer.wait_seconds or 0)
        with self._control.begin() as connection:
            connection.execute(_NOTE, _note(due, message, answer))
            asked = {**due.place, "wait_seconds": wait}
            failing_for = connection.execute(_PUT_OFF, asked).scalar_one_or_none()
        if answer.status == HTTPStatus.GONE:
            self._pause(due, "the receiver says that it is gone")
        elif failing_for is not None and failing_for > GIVEN_UP_AFTER:
            self._pause(due, f"it took no message for {GIVEN_UP_AFTER.days} days")

    def _pause(self, due: _DuePlace, because: str) -> None:
        with self._control.begin() as connection:
            connection.execute(_PAUSE, {"webhook_id": due.webhook_id, "because": because})
            connection.execute(_FAILS, {"webhook_id": due.webhook_id, "shard": due.shard})
        log.warning("a receiver of changes is paused", webhook=due.webhook_id, because=because)


def _note(due: _DuePlace, message: Message, answer: _Taken) -> dict[str, object]:
    return {
        "webhook_id": due.webhook_id,
        "message_id": due.message_id,
        "outcome": answer.outcome,
        "status": answer.status,
        "changes": message.changes,
    }


def _wait_seconds(failures: int) -> float:
    """Return the time to the next attempt: up to six hours, never the same for two receivers."""
    wait = doubling(_FIRST_WAIT_SECONDS, failures, most=_LONGEST_WAIT_SECONDS)
    return wait * random.uniform(0.75, 1.25)  # noqa: S311  no secret depends on it


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of Retry-After, within our own bounds; a date is read by its own clock."""
    told = headers.get("Retry-After", "").strip()
    if told.isascii() and told.isdecimal():
        return min(float(told), _LONGEST_WAIT_SECONDS)
    moment = moment_in(headers, "Retry-After")
    if moment is None:
        return None
    now = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=our_lead_seconds(headers))
    return min(max((moment - now).total_seconds(), 0.0), _LONGEST_WAIT_SECONDS)
