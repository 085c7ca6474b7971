"""Dead letters moved from RabbitMQ to PostgreSQL, where they do not expire."""

import hashlib
from dataclasses import dataclass

import dramatiq
import structlog
from sqlalchemy import Connection, Engine, text

from services.writer.erasure import letter_records
from services.writer.erasure.tombstones import withheld
from shared.broker import DeadLetter, drain_dead_letters
from shared.messages import FETCH_QUEUE, REVIEW_QUEUE, WRITE_QUEUE
from shared.metrics import Metrics

log = structlog.get_logger()

_ARCHIVE = text("""
    INSERT INTO dead_letters (queue, message_id, actor, reason, body, sirens)
    VALUES (:queue, coalesce(:message_id, :digest), :actor, :reason, :body,
      CAST(:sirens AS text[]))
    ON CONFLICT (queue, message_id) DO UPDATE SET
      reason = excluded.reason, body = excluded.body, sirens = excluded.sirens,
      archived_at = now(), replayed_at = NULL
""")


@dataclass(frozen=True)
class DeadLetterArchive:
    """Keeps the messages that no actor could handle, without the records that must not be shown.

    `with_records` is False where the register is in another database: an erasure there would not
    find the records here.
    """

    broker: dramatiq.Broker
    engine: Engine
    metrics: Metrics
    with_records: bool = True

    def step(self) -> None:
        for queue in (FETCH_QUEUE, WRITE_QUEUE, REVIEW_QUEUE):
            drain_dead_letters(self.broker, queue, self._archive)

    def _archive(self, letter: DeadLetter) -> None:
        with self.engine.begin() as connection:
            archive(connection, letter, with_records=self.with_records)
        self.metrics.dead_letters_archived.inc()
        log.warning("dead letter archived", queue=letter.queue, reason=letter.reason)


def archive(connection: Connection, letter: DeadLetter, *, with_records: bool = True) -> None:
    """Keep the letter as one row, however often it is handed over.

    A letter that was replayed and failed again counts as not replayed.
    """
    kept = letter_records.read_letter(letter.queue, letter.body, with_records=with_records)
    silenced = withheld(connection, sirens=kept.sirens, sirets=kept.sirets, with_purged=True)
    if silenced:
        kept = letter_records.cut_silenced(kept.body, silenced)
    connection.execute(
        _ARCHIVE,
        {
            "queue": letter.queue,
            "message_id": letter.message_id,
            "digest": hashlib.sha256(letter.body).hexdigest(),
            "actor": letter.actor,
            "reason": letter.reason,
            "body": kept.body,
            "sirens": list(kept.sirens),
        },
    )
