"""The real functions behind each event of `shared.avis`, and an avis that they happen to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from services.operator.failures.retries import retry
from services.reviewer.batches.lines import ask_again, keep_claims, read_lines, release
from services.reviewer.commands.due import mark_due, send_again
from services.reviewer.contexts.reader import ContextReader
from services.reviewer.contexts.sweep import ContextSweep, ask_for_sweep
from services.reviewer.editors.orders import Editor
from services.reviewer.providers.batch_route import WaitForBatch
from services.reviewer.relay import Relay, forget_publications
from services.reviewer.store import release_claims, store
from services.reviewer.texts.parked import park
from services.reviewer.texts.rulings import AvisResult, Claim
from services.reviewer.validation import Verdict
from services.writer.erasure.erase import erase
from services.writer.erasure.letter_records import Silenced
from services.writer.pages.pages import renew_pages
from services.writer.slices.statements import CREATE_NEW
from shared.avis import PENDING, AvisEvent, AvisOutcome, HoldReason, OrderVerb, TextOrder
from shared.clock import Clock
from shared.db.quotations import make_due
from shared.db.tables import etablissements, pro_localisations, unites_legales
from shared.metrics import Metrics
from shared.texts.orders import place_order
from tests.integration.reviewer.conftest import Desk, Register

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

PROVIDER = "p"


@dataclass
class Subject:
    """One avis that a reviewer has claimed, its establishment, and what changes them."""

    register: Register
    desk: Desk
    number: int
    avis_id: int
    claim: Claim

    @classmethod
    def claimed(cls, register: Register, desk: Desk, number: int) -> "Subject":
        [avis_id] = register.add(range(number, number + 1))
        [claim] = desk.claim([avis_id])
        subject = cls(register, desk, number, avis_id, claim)
        subject.set("published_at = clock_timestamp()")
        return subject

    @property
    def siren(self) -> str:
        return self.register.siren(self.number)

    @property
    def siret(self) -> str:
        return f"{self.siren}00011"

    @property
    def row(self) -> "RowMapping":
        return self.register.avis(self.avis_id)

    def set(self, assignments: str) -> None:
        statement = f"UPDATE avis SET {assignments} WHERE id = :id"
        self.register.execute(statement, id=self.avis_id)

    def end_lease(self) -> None:
        self.set("lease_until = clock_timestamp() - interval '1 second'")

    def act(self, action: Callable[[Connection], object]) -> None:
        with self.register.engine.begin() as connection:
            action(connection)

    def renew(self) -> None:
        """Have the writer draw its conclusions from the stored rows."""

        def action(connection: Connection) -> None:
            connection.execute(CREATE_NEW)
            renew_pages(connection, sirets=[self.siret], sirens=[], sole_traders=False)

        self.act(action)

    def wait_for_batch(self, *, in_batch: bool) -> None:
        """Have the row wait for a batch, whatever its outcome is."""
        self.register.execute(
            """
            INSERT INTO review_batches (id, key, provider, model, prompt_version,
              structured_output, state, texts, cost_eur, spent_eur, expires_at)
            OVERRIDING SYSTEM VALUE VALUES (:id, gen_random_uuid(), 'p', 'm', 'v', 'plain',
              'ready', 1, 0, 0, now())
            """,
            id=self.avis_id,
        )
        self.register.execute(
            """
            INSERT INTO review_batch_lines (avis_id, claim_token, provider, reasons, batch_id,
              cost_eur)
            VALUES (:id, :token, 'p', '{}', CASE WHEN :in_batch THEN :id END, 0)
            """,
            id=self.avis_id,
            token=self.claim.token,
            in_batch=in_batch,
        )


Event = Callable[[Subject], object]


def publish(subject: Subject) -> None:
    relay = Relay(
        engine=subject.register.engine,
        publish=lambda _: None,
        clock=Clock(),
        metrics=Metrics(),
        high_water=100,
        stall_seconds=900,
    )
    relay.step()
    relay.end()


def parkable(claim: Claim) -> AvisResult:
    return AvisResult(claim=claim, attempts=(), label="", slow_down=WaitForBatch(PROVIDER))


def lengthen(subject: Subject) -> None:
    subject.act(lambda connection: keep_claims(connection, subject.avis_id, hours=24))


def ask_anew(subject: Subject) -> None:
    def action(connection: Connection) -> None:
        lines = read_lines(connection, subject.avis_id)
        ask_again(connection, subject.avis_id, [(line, ["rating"]) for line in lines])

    subject.act(action)


def release_line(subject: Subject) -> None:
    subject.act(lambda connection: release(connection, read_lines(connection, subject.avis_id)))


def store_without(change: Event) -> Event:
    """Store the result after a change that forbids the text."""

    def event(subject: Subject) -> None:
        change(subject)
        subject.desk.store(subject.claim)

    return event


def close(subject: Subject) -> None:
    subject.register.change(etablissements, subject.siren, etat_administratif="F")
    subject.register.change(pro_localisations, subject.siren, status="closed")


def hide(subject: Subject) -> None:
    subject.register.change(unites_legales, subject.siren, statut_diffusion="P")


def oppose(subject: Subject) -> None:
    subject.register.oppose(subject.siren)


def become_sole_trader(subject: Subject) -> None:
    subject.register.change(unites_legales, subject.siren, categorie_juridique="1000")


def become_unknown(subject: Subject) -> None:
    subject.register.change(etablissements, subject.siren, activite_principale="99.99X")


def become_synthese(subject: Subject) -> None:
    """No review stands for it."""
    subject.set("kind = 'synthese'")


def renew_after(change: Event) -> Event:
    def event(subject: Subject) -> None:
        change(subject)
        subject.renew()

    return event


def accept_text(subject: Subject) -> None:
    subject.set(
        "text = 'Un texte.', accepted_facts_hash = facts_hash, prompt_version = 'other',"
        " renewal_rank = 0"
    )


def have_other_facts(subject: Subject) -> None:
    subject.set("facts_hash = repeat('0', 64)")


def get_facts_back(subject: Subject) -> None:
    accept_text(subject)
    have_other_facts(subject)


def no_change(_: Subject) -> None:
    pass


def erase_all(subject: Subject) -> None:
    silenced = Silenced(frozenset({subject.siren}), frozenset({subject.siret}))
    subject.act(lambda connection: erase(connection, silenced))


def hide_and_erase(subject: Subject) -> None:
    hide(subject)
    erase_all(subject)


def withhold(change: Event) -> Event:
    def event(subject: Subject) -> None:
        change(subject)
        have_other_facts(subject)
        subject.renew()

    return event


def have_other_context(subject: Subject) -> None:
    accept_text(subject)
    subject.set("context_hash = '-+-+-+-+-+other+-'")


def sweep(subject: Subject) -> None:
    engine, clock = subject.register.engine, Clock()
    subject.act(ask_for_sweep)
    ContextSweep(ContextReader(engine, [engine], clock), clock, sole_traders=False).step()


def retry_item(subject: Subject) -> None:
    subject.register.execute(
        "INSERT INTO failed_items (kind, key, siren, code, message)"
        " VALUES ('review', :key, :siren, 'rating', 'rating')",
        key=str(subject.avis_id),
        siren=subject.siren,
    )
    subject.act(lambda connection: retry([connection], [], code=None))


def import_reviews(subject: Subject) -> None:
    become_synthese(subject)
    subject.act(lambda connection: make_due(connection, [subject.siret]))


def order(verb: OrderVerb, words: str | None = None) -> Event:
    """Have a person order something, and a reviewer carry it out."""

    def event(subject: Subject) -> None:
        placed = TextOrder(
            siret=subject.siret, verb=verb, ordered_by="someone", reason="because", text=words
        )
        subject.act(lambda connection: place_order(connection, placed))
        engine, clock = subject.register.engine, Clock()
        contexts = ContextReader(engine, [engine], clock)
        editor = Editor(
            engine, lambda _text, _facts: Verdict(), clock, contexts, sole_traders=False
        )
        assert editor.carry_out_one()

    return event


def have_edit_of_other_facts(subject: Subject) -> None:
    accept_text(subject)
    subject.set("model = 'human_edited', accepted_facts_hash = 'older'")


def claim_edited(subject: Subject) -> None:
    subject.desk.claim([subject.avis_id])


def hold_text(subject: Subject) -> None:
    held = "CASE WHEN text IS NOT NULL THEN 'fallback' END"
    subject.set(f"held_because = {held}, held_at = now()")


def have_held_text(subject: Subject) -> None:
    accept_text(subject)
    hold_text(subject)


def have_held_edit(subject: Subject) -> None:
    have_edit_of_other_facts(subject)
    hold_text(subject)


def store_held(subject: Subject) -> None:
    result = replace(subject.desk.result(subject.claim), hold_because=HoldReason.ACCUSATION)
    store(subject.register.engine, [result], sole_traders=False)


@dataclass(frozen=True)
class PreparedEvent:
    """An event, and what must be before it."""

    prepare: Event
    happen: Event


reject_text, reject_edit = order(OrderVerb.REJECT), order(OrderVerb.REJECT)

WAYS_THAT_STAY: Mapping[AvisEvent, PreparedEvent] = {
    AvisEvent.HOLD_ORDERED: PreparedEvent(no_change, order(OrderVerb.HOLD)),
    AvisEvent.RELEASE_ORDERED: PreparedEvent(hold_text, order(OrderVerb.RELEASE)),
}
"""The events that leave the outcome as it is."""

WAYS: Mapping[AvisEvent, Mapping[AvisOutcome, list[Event]]] = {
    AvisEvent.PUBLISHED: {PENDING: [publish]},
    AvisEvent.RECALLED: {
        PENDING: [lambda it: send_again([it.register.engine], [it.avis_id])],
    },
    AvisEvent.RESTARTED: {PENDING: [lambda it: forget_publications(it.register.engine)]},
    AvisEvent.CLAIMED: {PENDING: [lambda it: it.desk.claim([it.avis_id])]},
    AvisEvent.RETURNED: {
        PENDING: [
            lambda it: release_claims(it.register.engine, [it.avis_id], [it.claim], resend=False)
        ],
    },
    AvisEvent.RELEASED: {
        PENDING: [
            lambda it: release_claims(it.register.engine, [it.avis_id], [it.claim]),
            release_line,
        ],
    },
    AvisEvent.PARKED: {
        PENDING: [lambda it: park(it.register.engine, [parkable(it.claim)])],
    },
    AvisEvent.EXTENDED: {PENDING: [lengthen, ask_anew]},
    AvisEvent.TEXT_ACCEPTED: {
        AvisOutcome.ACCEPTED: [lambda it: it.desk.store(it.claim)],
    },
    AvisEvent.TEXT_HELD: {AvisOutcome.ACCEPTED: [store_held]},
    AvisEvent.TEXT_REJECTED: {
        AvisOutcome.REJECTED: [lambda it: it.desk.store(it.claim, reasons=("rating",))],
    },
    AvisEvent.EDIT_KEPT: {AvisOutcome.ACCEPTED: [claim_edited]},
    AvisEvent.NOT_DUE: {
        AvisOutcome.CANCELLED: [store_without(close)],
        AvisOutcome.NO_REVIEWS: [store_without(become_synthese)],
        AvisOutcome.SKIPPED_NON_DIFFUSIBLE: [store_without(hide)],
        AvisOutcome.SKIPPED_SOLE_TRADER: [store_without(become_sole_trader)],
        AvisOutcome.SKIPPED_OPPOSITION: [store_without(oppose)],
        AvisOutcome.NOT_UNDERSTOOD: [store_without(become_unknown)],
    },
    AvisEvent.FACTS_CHANGED: {
        PENDING: [
            renew_after(have_other_facts),
            import_reviews,
        ],
    },
    AvisEvent.FACTS_RESTORED: {AvisOutcome.ACCEPTED: [renew_after(get_facts_back)]},
    AvisEvent.WITHHELD: {
        AvisOutcome.SKIPPED_NON_DIFFUSIBLE: [withhold(hide)],
        AvisOutcome.SKIPPED_SOLE_TRADER: [withhold(become_sole_trader)],
        AvisOutcome.SKIPPED_OPPOSITION: [withhold(oppose)],
        AvisOutcome.NOT_UNDERSTOOD: [withhold(become_unknown)],
    },
    AvisEvent.PAGE_CLOSED: {
        AvisOutcome.CANCELLED: [
            renew_after(
                lambda it: it.register.change(etablissements, it.siren, etat_administratif="F")
            )
        ],
    },
    AvisEvent.PAGE_REOPENED: {
        PENDING: [renew_after(no_change)],
        AvisOutcome.ACCEPTED: [renew_after(accept_text)],
    },
    AvisEvent.ERASED: {
        AvisOutcome.SKIPPED_OPPOSITION: [erase_all],
        AvisOutcome.SKIPPED_NON_DIFFUSIBLE: [hide_and_erase],
    },
    AvisEvent.PROMPT_CHANGED: {
        PENDING: [lambda it: mark_due([it.register.engine], "new")],
    },
    AvisEvent.CONTEXT_CHANGED: {PENDING: [sweep]},
    AvisEvent.RETRIED: {PENDING: [retry_item]},
    AvisEvent.REJECT_ORDERED: {
        AvisOutcome.REJECTED: [reject_text],
        PENDING: [reject_edit],
    },
    AvisEvent.EDIT_ORDERED: {AvisOutcome.ACCEPTED: [order(OrderVerb.EDIT, "Un texte.")]},
    AvisEvent.REGENERATE_ORDERED: {PENDING: [order(OrderVerb.REGENERATE)]},
}
"""The real functions behind each event, by the outcome that they lead to."""

UNPUBLISHED = {AvisEvent.PUBLISHED}
NEEDS_NO_LEASE = {AvisEvent.CLAIMED, AvisEvent.RECALLED, AvisEvent.EDIT_KEPT}
BEFORE: Mapping[Event, Event] = {
    sweep: have_other_context,
    claim_edited: have_edit_of_other_facts,
    reject_text: have_held_text,
    reject_edit: have_held_edit,
}
IN_BATCH = {lengthen, ask_anew, release_line}


def prepare(subject: Subject, event: AvisEvent, way: Event, source: AvisOutcome) -> None:
    if event in UNPUBLISHED:
        subject.set("published_at = NULL, lease_until = NULL")
    if event in NEEDS_NO_LEASE:
        subject.end_lease()
    if way in BEFORE:
        BEFORE[way](subject)
    if way in IN_BATCH:
        subject.wait_for_batch(in_batch=True)
    subject.set(f"outcome = '{source}'")
