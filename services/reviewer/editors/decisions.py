"""Decisions on orders, from the locked rows of the text and its subject: pure."""

from dataclasses import dataclass

from services.reviewer.texts.attempts import BY_A_MODEL, Validate
from services.reviewer.texts.rulings import outcome_now
from services.reviewer.texts.subjects import AvisSubject
from shared.avis import (
    HUMAN_EDITED,
    KEEPS_TEXT,
    PENDING,
    AvisOutcome,
    HoldReason,
    OrderVerb,
    TextOrder,
)

WITH_A_MODEL = "compositeWithTrainedAlgorithmicMedia"
"""IPTC's term for a text in which a trained model and a person had a part."""

BY_A_PERSON = "humanEdits"
"""IPTC's term for a text that a person edited."""

_EDITABLE = frozenset({PENDING, AvisOutcome.ACCEPTED, AvisOutcome.REJECTED})
_RENEWABLE = frozenset({AvisOutcome.ACCEPTED, AvisOutcome.REJECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptText:
    """The locked row of an avis, as orders see it; `seen` is its state before the order."""

    id: int
    outcome: AvisOutcome
    text: str | None
    digital_source_type: str | None
    accepted_facts_hash: str | None
    held_because: HoldReason | None
    model: str | None = None
    seen: str | None = None


@dataclass(frozen=True, slots=True)
class OrderDecision:
    """A decision on an order: done, or refused where `refusal` says why.

    `reasons` are the codes against an edit that was kept all the same. `restated`: the text, of
    other facts, was found true of the present ones.
    """

    refusal: str | None = None
    reasons: tuple[str, ...] = ()
    restated: bool = False


def decide(
    order: TextOrder,
    kept: KeptText | None,
    subject: AvisSubject | None,
    validate: Validate,
    *,
    sole_traders: bool,
) -> OrderDecision:
    """Decide what becomes of an order; `kept` is None where there is no such avis."""
    if kept is None:
        return OrderDecision(f"the establishment has no {order.kind}")
    if order.seen not in {None, kept.seen}:
        return OrderDecision("the text has changed since it was read")
    match order.verb:
        case OrderVerb.RELEASE:
            decision = _release(kept, subject, validate)
        case OrderVerb.EDIT:
            decision = _edit(order, kept, subject, validate, sole_traders=sole_traders)
        case OrderVerb.HOLD:
            decision = OrderDecision(_against_hold(kept))
        case OrderVerb.REJECT:
            decision = OrderDecision(_against_reject(kept))
        case OrderVerb.REGENERATE:
            against = _against_regenerate(order, kept, subject, sole_traders=sole_traders)
            decision = OrderDecision(against)
    return decision


def edited_source_type(before: str | None) -> str:
    """Return IPTC's term for an edit of a text of this origin."""
    return WITH_A_MODEL if before in {BY_A_MODEL, WITH_A_MODEL} else BY_A_PERSON


def _against_hold(kept: KeptText) -> str | None:
    if kept.text is None or kept.outcome not in KEEPS_TEXT:
        return "there is no text to hold"
    if kept.held_because is not None:
        return f"the text is held already: {kept.held_because}"
    return None


def _release(kept: KeptText, subject: AvisSubject | None, validate: Validate) -> OrderDecision:
    """Release a text as it is; one that a person edited under other facts must be true now."""
    if kept.held_because is None:
        return OrderDecision("the text is not held")
    moved = subject is not None and subject.facts_hash != kept.accepted_facts_hash
    if kept.outcome is not AvisOutcome.ACCEPTED or not moved:
        return OrderDecision()
    assert subject is not None
    assert kept.text is not None
    reasons = validate(kept.text, subject.facts).reasons
    if reasons:
        told = ", ".join(reasons)
        return OrderDecision(f"the facts have changed, and the text does not fit them: {told}")
    return OrderDecision(restated=True)


def _against_reject(kept: KeptText) -> str | None:
    if kept.outcome is AvisOutcome.ACCEPTED:
        return None
    if kept.text is None:
        return f"there is no text to reject: {kept.outcome}"
    return f"the text waits for its successor ({kept.outcome}): hold it"


def _edit(
    order: TextOrder,
    kept: KeptText,
    subject: AvisSubject | None,
    validate: Validate,
    *,
    sole_traders: bool,
) -> OrderDecision:
    assert order.text is not None
    if order.kind != "notice":
        return OrderDecision("a synthese quotes: hold or reject it")
    if kept.outcome not in _EDITABLE:
        return OrderDecision(f"no text may be written: {kept.outcome}")
    against = _against_writing(subject, sole_traders=sole_traders)
    if subject is None or against is not None:
        return OrderDecision(against)
    reasons = validate(order.text, subject.facts).reasons
    if reasons and not order.override:
        return OrderDecision(f"the text has reasons against it: {', '.join(reasons)}")
    return OrderDecision(reasons=reasons)


def _against_writing(subject: AvisSubject | None, *, sole_traders: bool) -> str | None:
    outcome = outcome_now(subject, sole_traders=sole_traders)
    return None if outcome is PENDING else f"no text may be written: {outcome}"


def _against_regenerate(
    order: TextOrder, kept: KeptText, subject: AvisSubject | None, *, sole_traders: bool
) -> str | None:
    if order.kind != "notice":
        return "a synthese quotes: another one would say the same"
    if kept.outcome is PENDING:
        return "a text is due already"
    if kept.outcome not in _RENEWABLE:
        return f"no text may be written: {kept.outcome}"
    if kept.model == HUMAN_EDITED:
        return "a person edited the text: reject it first"
    return _against_writing(subject, sole_traders=sole_traders)
