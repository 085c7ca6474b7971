"""The orders about texts of one database, carried out one after another.

An order is carried out and marked in one transaction: a kill leaves it pending, and it is carried
out once. One reviewer at a time works on them, so that two orders about a text keep their order.
The context of a text is read before, because it needs connections; the facts must be the same then.
"""

import uuid
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import Connection, Engine, text

from services.reviewer import statements
from services.reviewer.contexts.reader import ContextReader
from services.reviewer.editors.decisions import (
    WITH_A_MODEL,
    KeptText,
    OrderDecision,
    decide,
    edited_source_type,
)
from services.reviewer.french.names import shown_name
from services.reviewer.notices.label import edited_label
from services.reviewer.reviews.store import mark_read
from services.reviewer.reviews.synthese import quoted_in
from services.reviewer.texts.attempts import Attempt, Validate
from services.reviewer.texts.duplicates import replace_simhash
from services.reviewer.texts.holds import hold
from services.reviewer.texts.provenance import NO_IMPRINT, Imprint
from services.reviewer.texts.result_rows import accepted_row, attempt_row
from services.reviewer.texts.rulings import AvisResult, Claim, Fate, Ruling
from services.reviewer.texts.subject_rows import lock_subjects, read_subjects
from services.reviewer.texts.subjects import AvisSubject
from shared.avis import (
    HUMAN_EDITED,
    RESET,
    RESET_WITHOUT_TEXT,
    AvisOutcome,
    HoldReason,
    OrderStatus,
    OrderVerb,
    TextOrder,
)
from shared.clock import Clock
from shared.db.locks import Lock, try_hold
from shared.logs import name_of, places_of
from shared.texts.orders import seen_sql

log = structlog.get_logger()

# It is read again under the locks of its text: an erasure holds those when it takes an order.
_NEXT = text("""
    SELECT o.id, a.id AS avis_id
    FROM avis_orders o LEFT JOIN avis a ON a.siret = o.siret AND a.kind = o.kind
    WHERE o.status = 'pending' ORDER BY o.id LIMIT 1
""")
_ORDER = text("""
    SELECT siret, kind, verb, ordered_by, reason, text, override, seen
    FROM avis_orders WHERE id = :id AND status = 'pending' FOR UPDATE
""")
_LOCK = text(f"""
    SELECT id, outcome, text, digital_source_type, accepted_facts_hash, held_because, model,
      {seen_sql(":order_id")} AS seen
    FROM avis a WHERE id = :id FOR UPDATE
""")
_END = text("""
    UPDATE avis_orders SET status = :status, refusal = :refusal, done_at = clock_timestamp()
    WHERE id = :id
""")
_RELEASE = text("""
    UPDATE avis SET held_because = NULL, held_at = NULL,
      accepted_facts_hash = coalesce(:facts_hash, accepted_facts_hash),
      facts_hash = coalesce(:facts_hash, facts_hash)
    WHERE id = :id
""")
# A text is not made again from facts of which a person rejected one; of other facts it is due.
_REJECT = text(f"""
    UPDATE avis SET
      outcome = CASE WHEN facts_hash = accepted_facts_hash THEN 'rejected' ELSE 'pending' END,
      {RESET_WITHOUT_TEXT}
    WHERE id = :id
""")
_EDIT = text(f"""
    UPDATE avis SET outcome = 'accepted', text = :text, label = :label,
      digital_source_type = :digital_source_type, model = :model,
      prompt_version = :prompt_version, facts_hash = :facts_hash,
      display_name = :display_name, json_ld = CAST(:json_ld AS jsonb),
      accepted_facts_hash = :facts_hash, accepted_at = clock_timestamp(),
      held_because = NULL, held_at = NULL, {RESET}
    WHERE id = :id
""")
# Without the hash of its context, the text does not count as one of the present facts.
_REGENERATE = text(f"""
    UPDATE avis SET outcome = 'pending', context_hash = NULL, {RESET} WHERE id = :id
""")


@dataclass(frozen=True)
class Editor:
    """Carries out the orders of one database."""

    engine: Engine
    validate: Validate
    clock: Clock
    contexts: ContextReader
    sole_traders: bool
    imprint: Imprint = NO_IMPRINT

    def step(self) -> None:
        while not self.clock.stopping.is_set() and self.carry_out_one():
            pass

    def carry_out_one(self) -> bool:
        """Carry out the oldest order; return False where none is left, or another works on it."""
        with self.engine.connect() as connection:
            found = connection.execute(_NEXT).one_or_none()
        if found is None:
            return False
        ids = [] if found.avis_id is None else [found.avis_id]
        described = self.contexts.subjects(self.engine, ids).get(found.avis_id)
        with self.engine.begin() as connection:
            if not try_hold(connection, Lock.AVIS_ORDERS):
                return False
            lock_subjects(connection, ids, mark_reviews=True)
            kept = _kept(connection, found.avis_id, found.id)
            row = connection.execute(_ORDER, {"id": found.id}).mappings().one_or_none()
            subject = read_subjects(connection, ids).get(found.avis_id)
            # Otherwise another carried it out, or the facts changed: it is looked at again.
            if row is not None and _hash_of(subject) == _hash_of(described):
                order = TextOrder(**{**row, "verb": OrderVerb(row["verb"])})
                if subject is not None and described is not None:
                    subject = replace(subject, context=described.context)
                self._carry_out(connection, found.id, order, kept, subject)
        return True

    def _carry_out(
        self,
        connection: Connection,
        order_id: int,
        order: TextOrder,
        kept: KeptText | None,
        subject: AvisSubject | None,
    ) -> None:
        decision = self._decide(order, kept, subject)
        status = OrderStatus.DONE if decision.refusal is None else OrderStatus.REFUSED
        if kept is not None and decision.refusal is None:
            self._change(connection, order, kept, subject, decision)
        end = {"id": order_id, "status": status, "refusal": decision.refusal}
        connection.execute(_END, end)
        log.info("order about a text", order_id=order_id, verb=order.verb, status=status)

    def _decide(
        self, order: TextOrder, kept: KeptText | None, subject: AvisSubject | None
    ) -> OrderDecision:
        try:
            return decide(order, kept, subject, self.validate, sole_traders=self.sole_traders)
        except Exception as error:  # noqa: BLE001  # a bug that one text meets must not hold up others
            log.warning("validation failed", error=name_of(error), at=places_of(error))
            return OrderDecision(f"the validator broke: {type(error).__name__}")

    def _change(
        self,
        connection: Connection,
        order: TextOrder,
        kept: KeptText,
        subject: AvisSubject | None,
        decision: OrderDecision,
    ) -> None:
        match order.verb:
            case OrderVerb.HOLD:
                hold(connection, {kept.id: HoldReason.ASKED})
            case OrderVerb.RELEASE:
                told = subject.facts_hash if subject is not None and decision.restated else None
                connection.execute(_RELEASE, {"id": kept.id, "facts_hash": told})
                if subject is not None and subject.sources is not None:
                    mark_read(connection, quoted_in(kept.text or "", subject.sources))
            case OrderVerb.REJECT:
                connection.execute(statements.ERASE_SIMHASHES, {"ids": [kept.id]})
                connection.execute(_REJECT, {"id": kept.id})
            case OrderVerb.EDIT:
                assert subject is not None
                self._edit(connection, order, kept, subject, decision)
            case OrderVerb.REGENERATE:
                connection.execute(_REGENERATE, {"id": kept.id})

    def _edit(
        self,
        connection: Connection,
        order: TextOrder,
        kept: KeptText,
        subject: AvisSubject,
        decision: OrderDecision,
    ) -> None:
        source_type = edited_source_type(kept.digital_source_type)
        label = edited_label(
            edited_at=self.clock.now(),
            fetched_at=subject.fetched_at,
            ai=source_type == WITH_A_MODEL,
        )
        attempt = Attempt(
            model=HUMAN_EDITED,
            prompt_version=HUMAN_EDITED,
            reasons=decision.reasons,
            latency_seconds=0,
            text=order.text,
            digital_source_type=source_type,
        )
        claim = Claim.on(subject, avis_id=kept.id, token=uuid.uuid4())
        result = AvisResult(claim=claim, attempts=(attempt,), label=label)
        connection.execute(_EDIT, accepted_row(result, self.imprint, name=shown_name(claim.facts)))
        row = attempt_row(result, attempt, Ruling(Fate.ACCEPTED, AvisOutcome.ACCEPTED))
        statements.execute_rows(connection, statements.KEEP_ATTEMPTS, [row | {"accepted": True}])
        replace_simhash(connection, result)
        connection.execute(statements.RESOLVE_FAILED_ITEMS, {"keys": [str(kept.id)]})


def _hash_of(subject: AvisSubject | None) -> str | None:
    return None if subject is None else subject.facts_hash


def _kept(connection: Connection, avis_id: int | None, order_id: int) -> KeptText | None:
    asked = {"id": avis_id, "order_id": order_id}
    row = connection.execute(_LOCK, asked).mappings().one_or_none()
    if row is None:
        return None
    because = row["held_because"]
    return KeptText(
        **{
            **row,
            "outcome": AvisOutcome(row["outcome"]),
            "held_because": None if because is None else HoldReason(because),
        }
    )
