"""Rulings on results, from the rows that the store has locked: pure."""

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum

from services.reviewer.reviews.source import Source
from services.reviewer.texts.attempts import Attempt
from services.reviewer.texts.subjects import AvisSubject
from shared.avis import PENDING, AvisOutcome, HoldReason
from shared.errors import SlowDown
from shared.sirene.context import context_hash
from shared.sirene.facts import Facts

LEASE_LOST = "lease_lost"
FACTS_CHANGED = "facts_changed"
PAGE_CLOSED = "page_closed"


class Fate(StrEnum):
    """The end of a claim, as `sirenade_avis_reviewed` counts it."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    # Facts have changed, or another claim stands: the row is due again, or its claimer writes it.
    DISCARDED = "discarded"
    # No text may be written, or none is due.
    SKIPPED = "skipped"
    # A limit or the budget stood against it: it is still claimed, and to be released.
    POSTPONED = "postponed"

    @classmethod
    def of(cls, outcome: AvisOutcome) -> "Fate":
        """Return the fate of an avis that got this outcome, which is not `pending`."""
        is_verdict = outcome in {AvisOutcome.ACCEPTED, AvisOutcome.REJECTED}
        return cls(outcome) if is_verdict else cls.SKIPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to write one avis, until the lease ends and another process claims it."""

    avis_id: int
    token: uuid.UUID
    siren: str
    facts: Facts
    facts_hash: str
    fetched_at: dt.datetime
    # A notice has None, a synthese at least one.
    sources: tuple[Source, ...] | None = None
    # A batch was asked with other facts than these, and the hash is of those.
    of_other_facts: bool = False

    @property
    def context_hash(self) -> str | None:
        """Return the hash of what other rows say; None for a synthese, which does not tell it."""
        return context_hash(self.facts.context) if self.sources is None else None

    @classmethod
    def on(
        cls, subject: AvisSubject, *, avis_id: int, token: uuid.UUID, facts_hash: str | None = None
    ) -> "Claim":
        """Return the claim on an avis about this subject; `facts_hash` is that of other facts."""
        present = subject.facts_hash
        return cls(
            avis_id=avis_id,
            token=token,
            siren=subject.unite.siren,
            facts=subject.facts,
            facts_hash=present if facts_hash is None else facts_hash,
            fetched_at=subject.fetched_at,
            sources=subject.sources,
            of_other_facts=facts_hash not in {None, present},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AvisResult:
    """`label` belongs to the text of the last attempt, if that is accepted.

    `hold_because` has the text held for a person, beside what the rules hold by default. `quoted`
    are the digests of the reviews that a synthese quotes. With `slow_down` only the attempts are
    stored: they were paid for. A result without an attempt is not stored.
    """

    claim: Claim
    attempts: tuple[Attempt, ...]
    label: str
    slow_down: SlowDown | None = None
    hold_because: HoldReason | None = None
    quoted: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class LockedAvis:
    """The locked row of an avis."""

    outcome: AvisOutcome
    claim_token: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision on a result: without `outcome` the avis row stays as it is.

    `because` is a reason that is kept with the attempts, though their texts may be good. Attempts
    about establishments that must not be written about are not kept. `tolerated` is the code of a
    duplicate that is kept all the same.
    """

    fate: Fate
    outcome: AvisOutcome | None = None
    because: str | None = None
    keep_attempts: bool = True
    due_facts_hash: str | None = None
    tolerated: str | None = None


def outcome_now(subject: AvisSubject | None, *, sole_traders: bool) -> AvisOutcome:
    """Return `pending` where a text may be written, `cancelled` where the subject is gone."""
    return AvisOutcome.CANCELLED if subject is None else subject.outcome(sole_traders=sole_traders)


def judge(
    result: AvisResult, held: LockedAvis | None, subject: AvisSubject | None, *, sole_traders: bool
) -> Ruling:
    """Return what to do with a result; `held` is None where the row is gone."""
    if held is None:
        return Ruling(Fate.DISCARDED, keep_attempts=False)
    ours = held.claim_token == result.claim.token
    if ours and held.outcome in {AvisOutcome.ACCEPTED, AvisOutcome.REJECTED}:
        # An earlier commit stored this result, and its answer was lost.
        return Ruling(Fate.of(held.outcome), keep_attempts=False)
    ours = ours and held.outcome is PENDING
    outcome = outcome_now(subject, sole_traders=sole_traders)
    if subject is None or outcome is not PENDING:
        return Ruling(
            Fate.SKIPPED if ours else Fate.DISCARDED,
            outcome if ours else None,
            because=PAGE_CLOSED,
            keep_attempts=subject is not None and outcome is AvisOutcome.CANCELLED,
        )
    if not ours:
        return Ruling(Fate.DISCARDED, because=LEASE_LOST)
    return _judge_own(result, subject)


def _judge_own(result: AvisResult, subject: AvisSubject) -> Ruling:
    """Judge a result whose claim stands, about an avis that may be written."""
    now = subject.facts_hash
    if now != result.claim.facts_hash:
        return Ruling(Fate.DISCARDED, PENDING, because=FACTS_CHANGED, due_facts_hash=now)
    if result.slow_down is not None:
        return Ruling(Fate.POSTPONED)
    accepted = result.attempts[-1].accepted
    outcome = AvisOutcome.ACCEPTED if accepted else AvisOutcome.REJECTED
    return Ruling(Fate.of(outcome), outcome)
