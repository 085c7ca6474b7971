"""The states of an avis: its outcomes, the events and orders that change it, and their common SQL.

`TRANSITIONS` is the state diagram of docs/architecture.md as data. The statements that carry the
events out stand in the services; each of them sets claim, lease and publication as its event says.
"""

from dataclasses import dataclass
from enum import StrEnum, auto


class AvisOutcome(StrEnum):
    """The values of the column `avis.outcome`."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    # A synthese without a source has nothing to quote.
    NO_REVIEWS = "no_reviews"
    SKIPPED_NON_DIFFUSIBLE = "skipped_non_diffusible"
    SKIPPED_SOLE_TRADER = "skipped_sole_trader"
    SKIPPED_OPPOSITION = "skipped_opposition"
    # No table of this release knows the activity.
    NOT_UNDERSTOOD = "not_understood"


PENDING = AvisOutcome.PENDING


class HoldReason(StrEnum):
    """The values of the column `avis.held_because`: a held text is not served."""

    # A person holds it by an order.
    ASKED = "asked"
    # The facts are others than those under which a person edited it.
    EDITED = "edited"
    # It is in the sample of texts that the template wrote in place of a model.
    FALLBACK = "fallback"
    # It is one of the first texts of a model under a new version of the prompt.
    FIRST_TEXTS = "first_texts"
    # A review that it leaves out accuses somebody.
    ACCUSATION = "accusation"
    # It quotes a review that no editor has read.
    QUOTATION = "quotation"


class OrderVerb(StrEnum):
    """The orders that a person gives about a text (`avis_orders.verb`)."""

    HOLD = "hold"
    RELEASE = "release"
    REJECT = "reject"
    EDIT = "edit"
    REGENERATE = "regenerate"


class OrderStatus(StrEnum):
    """The values of the column `avis_orders.status`."""

    PENDING = "pending"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOrder:
    """An order about one text of an establishment: who gives it, and why.

    `text` is that of an edit, which `override` keeps whatever the validator says. `seen` is the
    state of the text that the person looked at (`shared.texts.orders.SEEN`): the order is refused
    where it is another by then. None orders whatever the state is.
    """

    siret: str
    verb: OrderVerb
    ordered_by: str
    reason: str
    kind: str = "notice"
    text: str | None = None
    override: bool = False
    seen: str | None = None


HUMAN_EDITED = "human_edited"
"""Stands for model and prompt version of a text that a person edited."""

WITHDRAWN = frozenset({AvisOutcome.SKIPPED_NON_DIFFUSIBLE, AvisOutcome.SKIPPED_OPPOSITION})
"""Outcomes of establishments about which nothing may be kept, no text and no fact."""

SKIPPED = WITHDRAWN | {AvisOutcome.SKIPPED_SOLE_TRADER}

HELD_BACK = SKIPPED | {AvisOutcome.NOT_UNDERSTOOD}
"""Outcomes of open pages for which no text may be written."""

WITH_TEXT = frozenset(
    {PENDING, AvisOutcome.ACCEPTED, AvisOutcome.REJECTED, AvisOutcome.NOT_UNDERSTOOD}
)
"""Outcomes with which a web page shows the accepted text, if any, until its successor is there."""

TEXTLESS = SKIPPED | {AvisOutcome.NO_REVIEWS}
"""Outcomes with which an avis keeps no text; with the others an accepted text stays."""

KEEPS_TEXT = frozenset(AvisOutcome) - TEXTLESS

SETTLE = """published_at = NULL, lease_until = NULL, attempts = 0,
      updated_at = clock_timestamp()"""
"""Assignments of an `UPDATE avis` that ends a claim by its result.

The token stays: a result whose commit was answered by silence is recognised by it when it is
stored again.
"""

# INSEE's codes of headcounts, the smallest first; no code, or another one, is smaller than all.
_TRANCHES = "NN 00 01 02 03 11 12 21 22 31 32 41 42 51 52 53"
_SIZES = 1 + len(_TRANCHES.split())
_LAST = _SIZES**2 - 1


def _size(unit_or_establishment: str) -> str:
    tranche = f"{unit_or_establishment}.tranche_effectifs"
    return f"coalesce(array_position(string_to_array('{_TRANCHES}', ' '), {tranche}), 0)"


RENEWAL_RANK = f"""coalesce((
        SELECT {_LAST} - {_SIZES} * {_size("e")} - {_size("u")}
        FROM etablissements e JOIN unites_legales u ON u.siren = e.siren
        WHERE e.siret = avis.siret), {_LAST})"""
"""SQL for the place of an avis among renewals: the lowest goes first, the one of most employees.

Visits of the page belong here once they are counted: into this expression, with an UPDATE of the
renewals that are due then.
"""

RESET = f"""claim_token = NULL, {SETTLE},
      renewal_rank = CASE WHEN avis.text IS NOT NULL THEN {RENEWAL_RANK} END"""
"""Assignments of an `UPDATE avis` after which no claim stands and no message is expected.

A due avis whose accepted text stands is a renewal, and has a rank; a first text has none.
"""

NO_TEXT = """text = NULL, label = NULL, digital_source_type = NULL, model = NULL,
      prompt_version = NULL, accepted_facts_hash = NULL, context_hash = NULL, accepted_at = NULL,
      held_because = NULL, held_at = NULL, display_name = NULL, json_ld = NULL,
      renewal_rank = NULL"""
"""Assignments of an `UPDATE avis` that takes its text away, with all that tells of it."""

RESET_WITHOUT_TEXT = f"claim_token = NULL, {SETTLE}, {NO_TEXT}"
"""Assignments of an `UPDATE avis` that do what `RESET` does, and take the text away."""


class AvisEvent(StrEnum):
    """An event that changes an avis."""

    # The writer inserts it with its page.
    OPENED = auto()
    # The relay sends it to RabbitMQ.
    PUBLISHED = auto()
    # The relay has to send it again although its message may still come.
    RECALLED = auto()
    # The embedded process starts with an empty broker.
    RESTARTED = auto()
    # A reviewer takes it; a lease that has ended allows it too.
    CLAIMED = auto()
    # Its message comes again by itself.
    RETURNED = auto()
    # The relay sends it again at once.
    RELEASED = auto()
    # It waits for a batch.
    PARKED = auto()
    # Its batch takes longer.
    EXTENDED = auto()
    TEXT_ACCEPTED = auto()
    # The same, and a rule holds the text for a person.
    TEXT_HELD = auto()
    TEXT_REJECTED = auto()
    # A reviewer that claims it finds other facts under a text that a person edited.
    EDIT_KEPT = auto()
    # The reviewer finds that no text may be written.
    NOT_DUE = auto()
    # Facts, or reviews, are others than those of its text.
    FACTS_CHANGED = auto()
    # The facts are those of its text again.
    FACTS_RESTORED = auto()
    # The writer finds that no text may be written about an open page.
    WITHHELD = auto()
    PAGE_CLOSED = auto()
    # The page is open again, or may be written about again, and its facts are the same.
    PAGE_REOPENED = auto()
    ERASED = auto()
    # An order for texts by the present prompt.
    PROMPT_CHANGED = auto()
    # The sweep finds that other rows say something else than the text.
    CONTEXT_CHANGED = auto()
    # An order to try failed items again.
    RETRIED = auto()
    # Orders of a person about the text.
    HOLD_ORDERED = auto()
    RELEASE_ORDERED = auto()
    REJECT_ORDERED = auto()
    EDIT_ORDERED = auto()
    REGENERATE_ORDERED = auto()


class Effect(StrEnum):
    """The effect of an event on a column."""

    KEPT = auto()
    SET = auto()
    CLEARED = auto()


KEPT, SET, CLEARED = Effect.KEPT, Effect.SET, Effect.CLEARED

NEW = None
"""The source of a transition that inserts the row."""

ANY = frozenset(AvisOutcome)


@dataclass(frozen=True, slots=True)
class Transition:
    """One event, the outcomes that allow it, and those that it leads to.

    An event leaves a row with another outcome as it is; without targets the outcome stays, too. A
    claim stands while `claim_token` is that of the claimer and `lease_until` lies ahead. A hold
    (`held_because`) belongs to the row's text, whatever the outcome is: it stands until a person
    ends it, over a successor of the text too, or until the text is taken away.
    """

    event: AvisEvent
    sources: frozenset[AvisOutcome | None]
    targets: frozenset[AvisOutcome]
    claim_token: Effect = CLEARED
    lease_until: Effect = CLEARED
    published_at: Effect = CLEARED
    held_because: Effect = KEPT


_SAME: frozenset[AvisOutcome] = frozenset()
_DUE = frozenset({PENDING})
_ACCEPTED = frozenset({AvisOutcome.ACCEPTED})
_REJECTED = frozenset({AvisOutcome.REJECTED})
_CANCELLED = frozenset({AvisOutcome.CANCELLED})

TRANSITIONS = (
    Transition(AvisEvent.OPENED, frozenset({NEW}), _DUE | HELD_BACK),
    # A lease that has ended is cleared: it would call for another message at once.
    Transition(
        AvisEvent.PUBLISHED, _DUE, _DUE, claim_token=KEPT, lease_until=KEPT, published_at=SET
    ),
    Transition(AvisEvent.RECALLED, _DUE, _DUE, claim_token=KEPT, lease_until=KEPT),
    Transition(AvisEvent.RESTARTED, _DUE, _DUE, claim_token=KEPT),
    Transition(AvisEvent.CLAIMED, _DUE, _DUE, claim_token=SET, lease_until=SET, published_at=KEPT),
    Transition(AvisEvent.RETURNED, _DUE, _DUE, published_at=KEPT),
    Transition(AvisEvent.RELEASED, _DUE, _DUE),
    Transition(AvisEvent.PARKED, _DUE, _DUE, claim_token=KEPT, lease_until=SET),
    Transition(
        AvisEvent.EXTENDED, _DUE, _DUE, claim_token=KEPT, lease_until=SET, published_at=KEPT
    ),
    # A claim ends by its result.
    Transition(AvisEvent.TEXT_ACCEPTED, _DUE, _ACCEPTED, claim_token=KEPT),
    Transition(AvisEvent.TEXT_HELD, _DUE, _ACCEPTED, claim_token=KEPT, held_because=SET),
    Transition(AvisEvent.TEXT_REJECTED, _DUE, _REJECTED, claim_token=KEPT),
    Transition(AvisEvent.EDIT_KEPT, _DUE, _ACCEPTED, claim_token=SET, held_because=SET),
    Transition(AvisEvent.NOT_DUE, _DUE, _CANCELLED | TEXTLESS | HELD_BACK, claim_token=KEPT),
    Transition(AvisEvent.FACTS_CHANGED, ANY, _DUE),
    Transition(AvisEvent.FACTS_RESTORED, ANY, _ACCEPTED),
    Transition(AvisEvent.WITHHELD, ANY, HELD_BACK),
    Transition(AvisEvent.PAGE_CLOSED, _DUE, _CANCELLED),
    Transition(AvisEvent.PAGE_REOPENED, HELD_BACK | _CANCELLED, _DUE | _ACCEPTED),
    Transition(AvisEvent.ERASED, ANY, WITHDRAWN, held_because=CLEARED),
    Transition(AvisEvent.PROMPT_CHANGED, _ACCEPTED, _DUE),
    Transition(AvisEvent.CONTEXT_CHANGED, _ACCEPTED, _DUE),
    Transition(AvisEvent.RETRIED, _REJECTED, _DUE),
    Transition(
        AvisEvent.HOLD_ORDERED,
        KEEPS_TEXT,
        _SAME,
        claim_token=KEPT,
        lease_until=KEPT,
        published_at=KEPT,
        held_because=SET,
    ),
    Transition(
        AvisEvent.RELEASE_ORDERED,
        KEEPS_TEXT,
        _SAME,
        claim_token=KEPT,
        lease_until=KEPT,
        published_at=KEPT,
        held_because=CLEARED,
    ),
    Transition(AvisEvent.REJECT_ORDERED, _ACCEPTED, _REJECTED | _DUE, held_because=CLEARED),
    Transition(
        AvisEvent.EDIT_ORDERED, _DUE | _ACCEPTED | _REJECTED, _ACCEPTED, held_because=CLEARED
    ),
    Transition(AvisEvent.REGENERATE_ORDERED, _ACCEPTED | _REJECTED, _DUE),
)
