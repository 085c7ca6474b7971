"""Decisions on orders, from the locked rows of the text and its subject: pure."""

from dataclasses import dataclass

from services.reviewer.texts.attempts import BY_A_MODEL, Validate
from services.reviewer.texts.subjects import AvisSubject
from shared.avis import KEEPS_TEXT, PENDING, AvisOutcome, HoldReason, OrderVerb, TextOrder

WITH_A_MODEL = "compositeWithTrainedAlgorithmicMedia"
"""IPTC's term for a text in which a trained model and a person had a part."""

BY_A_PERSON = "humanEdits"
"""IPTC's term for a text that a person edited."""

_EDITABLE = frozenset({PENDING, AvisOutcome.ACCEPTED, AvisOutcome.REJECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptText:
    """The locked row of an avis, as orders see it."""

    id: int
    outcome: AvisOutcome
    text: str | None
    digital_source_type: str | None
    accepted_facts_hash: str | None
    held_because: HoldReason | None


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
    match order.verb:
        case OrderVerb.HOLD:
            return OrderDecision(_against_hold(kept))
        case OrderVerb.RELEASE:
            return _release(kept, subject, validate)
        case OrderVerb.REJECT:
            return OrderDecision(_against_reject(kept))
        case OrderVerb.EDIT:
            return _edit(order, kept, subject, validate, sole_traders=sole_traders)


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
    if kept.outcome not in _EDITABLE or subject is None:
        return OrderDecision(f"no text may be written: {kept.outcome}")
    outcome = subject.outcome(sole_traders=sole_traders)
    if outcome is not PENDING:
        return OrderDecision(f"no text may be written: {outcome}")
    reasons = validate(order.text, subject.facts).reasons
    if reasons and not order.override:
        return OrderDecision(f"the text has reasons against it: {', '.join(reasons)}")
    return OrderDecision(reasons=reasons)
