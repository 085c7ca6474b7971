"""Look-ups of single numbers at INSEE: a duplicate leads elsewhere, which no search tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import Engine, text

from services.fetcher.insee.answers import InseeError, OneAnswer, QuotaExceeded
from services.fetcher.insee.ledger import Sender
from shared.errors import SlowDown
from shared.imports import absences
from shared.imports.orders import order_import
from shared.imports.scope import Scope
from shared.sirene.identifiers import is_siret

log = structlog.get_logger()

_SLOT_PATIENCE_SECONDS = 30.0

_STATES: Final = {200: "listed", 301: "moved", 403: "withheld", 404: "unknown"}

_RECORD = text("""
    INSERT INTO redirections (siren_or_siret, target) VALUES (:number, :target)
    ON CONFLICT (siren_or_siret) DO UPDATE SET target = excluded.target, seen_at = now()
""")
# INSEE lists the number again, so it leads nowhere else any more.
_FORGET = text("DELETE FROM redirections WHERE siren_or_siret = :number")
# A retry has asked for them, and they are still open: no search lists them, so they stay open.
_UNLISTED = text("""
    SELECT f.key FROM failed_items f
    WHERE f.kind = 'write' AND f.resolved_at IS NULL AND f.key ~ '^[0-9]{14}$'
      AND EXISTS (SELECT FROM import_batches b
        WHERE b.status = 'complete' AND b.created_at > f.created_at AND f.key = ANY(b.sirets)
          AND NOT EXISTS (SELECT FROM slice_receipts r
            WHERE r.batch_id = b.id AND f.key = ANY(r.sirets)))
      AND NOT EXISTS (SELECT FROM redirections r WHERE r.siren_or_siret = f.key)
    ORDER BY f.key
""")


@dataclass(frozen=True, slots=True)
class LookedUp:
    """The state of a number at INSEE; `target` is the number that a moved one leads to.

    `page_closed`: the establishment is stored, and INSEE's answers close its page.
    """

    number: str
    state: str
    target: str | None
    page_closed: bool = False


def unlisted_sirets(engine: Engine) -> Sequence[str]:
    """Return failed sirets that were asked for once more, and that INSEE did not list."""
    with engine.connect() as connection:
        return connection.execute(_UNLISTED).scalars().all()


def record(
    engine: Engine, number: str, answer: OneAnswer, *, shard: Engine | None = None
) -> LookedUp:
    """Keep a redirection, or delete one that INSEE took back; close or reopen the page.

    `engine` is the control database's; `shard` that of the number's unit, if it is another one.
    """
    state = _STATES[answer.status]
    with engine.begin() as connection:
        if answer.moved_to is not None:
            connection.execute(_RECORD, {"number": number, "target": answer.moved_to})
        elif state == "listed":
            connection.execute(_FORGET, {"number": number})
    closed = _follow(engine, shard or engine, number, state, answer.moved_to)
    return LookedUp(number, state, answer.moved_to, closed)


def _follow(control: Engine, shard: Engine, number: str, state: str, target: str | None) -> bool:
    """Carry the answer over to the page; return whether it is closed by it."""
    with shard.begin() as connection:
        if not is_siret(number):
            if state != "listed":
                # Each establishment of the unit has an answer of its own.
                absences.ask_for(connection, sirens=[number])
            return False
        if state != "listed":
            return absences.record_absence(connection, number, state, target=target)
        came_back = absences.record_presence(connection, number)
    if came_back:
        with control.begin() as connection:
            order_import(connection, Scope(sirets=[number]))
        with shard.begin() as connection:
            absences.forget_absence(connection, number)
    return False


@dataclass(frozen=True)
class AbsenceWatch:
    """Asks INSEE for the sirets that it no longer lists, a bounded number a day."""

    engine: Engine
    sender: Sender
    per_day: int

    def turn(self) -> None:
        """Ask for one siret that is due. One without an answer is asked for on the next day."""
        with self.engine.begin() as connection:
            siret = absences.take_due(connection, per_day=self.per_day)
        if siret is None:
            return
        try:
            slot = self.sender.quota.take(patience_seconds=_SLOT_PATIENCE_SECONDS)
            answer = self.sender.send(slot, lambda insee: insee.one(siret))
        except QuotaExceeded as error:
            self.sender.quota.give_way(error.retry_after_seconds)
        except (InseeError, SlowDown) as error:
            log.warning("absence not looked at", reason=str(error))
        else:
            found = record(self.engine, siret, answer)
            log.info("absence looked at", state=found.state, page_closed=found.page_closed)
