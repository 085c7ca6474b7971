"""Each event changes an avis as `shared.avis.TRANSITIONS` says, and no other avis."""

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from services.reviewer.commands.due import send_again
from services.reviewer.store import release_claims
from services.reviewer.texts.parked import park
from services.reviewer.texts.rulings import Fate
from shared.avis import KEEPS_TEXT, PENDING, TRANSITIONS, AvisEvent, AvisOutcome, Effect
from tests.integration.reviewer.avis_events import (
    WAYS,
    WAYS_THAT_STAY,
    Subject,
    accept_text,
    become_sole_trader,
    become_unknown,
    hide,
    no_change,
    oppose,
    parkable,
    prepare,
)
from tests.integration.reviewer.conftest import Desk, Register

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

COLUMNS = ("claim_token", "lease_until", "published_at", "held_because")
BY_TRANSITION = {each.event: each for each in TRANSITIONS}


def effects_of(before: "RowMapping", after: "RowMapping") -> list[set[Effect]]:
    """Return for each column the effects that explain its change."""
    return [_effects(before[column], after[column]) for column in COLUMNS]


def _effects(before: object, after: object) -> set[Effect]:
    if after is None:
        return {Effect.CLEARED} if before is not None else {Effect.CLEARED, Effect.KEPT}
    return {Effect.KEPT} if before == after else {Effect.SET}


# Writer, reviewer and owner share one session here, and its temporary tables.
pytestmark = pytest.mark.one_role


def test_every_transition_is_walked() -> None:
    walked = {event: set(ways) for event, ways in WAYS.items()}
    assert walked | {event: set() for event in WAYS_THAT_STAY} == {
        each.event: set(each.targets) for each in TRANSITIONS if each.event != AvisEvent.OPENED
    }


@pytest.mark.parametrize("event", WAYS, ids=str)
def test_an_event_changes_an_avis_as_the_table_says_or_not_at_all(
    event: AvisEvent, register: Register, desk: Desk
) -> None:
    transition = BY_TRANSITION[event]
    wanted = [getattr(transition, column) for column in COLUMNS]
    cases = [
        (source, target, way)
        for target, ways in WAYS[event].items()
        for way in ways
        for source in AvisOutcome
    ]
    for number, (source, target, way) in enumerate(cases, start=1):
        subject = Subject.claimed(register, desk, number)
        prepare(subject, event, way, source)
        before = subject.row
        way(subject)
        after = subject.row
        allowed = source in transition.sources
        assert after["outcome"] == (target if allowed else source), (source, way)
        expected = wanted if allowed else [Effect.KEPT] * len(COLUMNS)
        for found, each in zip(effects_of(before, after), expected, strict=True):
            assert each in found, (source, way, expected)


@pytest.mark.parametrize("event", WAYS_THAT_STAY, ids=str)
def test_an_event_without_targets_changes_no_outcome(
    event: AvisEvent, register: Register, desk: Desk
) -> None:
    transition = BY_TRANSITION[event]
    for number, source in enumerate(AvisOutcome, start=1):
        subject = Subject.claimed(register, desk, number)
        if source in KEEPS_TEXT:
            accept_text(subject)
        WAYS_THAT_STAY[event].prepare(subject)
        prepare(subject, event, no_change, source)
        before = subject.row
        WAYS_THAT_STAY[event].happen(subject)
        after = subject.row
        assert after["outcome"] == source
        allowed = source in transition.sources
        wanted = [getattr(transition, column) for column in COLUMNS]
        expected = wanted if allowed else [Effect.KEPT] * len(COLUMNS)
        for found, each in zip(effects_of(before, after), expected, strict=True):
            assert each in found, (source, expected)


@pytest.mark.parametrize("event", WAYS, ids=str)
def test_a_due_avis_has_a_rank_if_and_only_if_its_text_stands(
    event: AvisEvent, register: Register, desk: Desk
) -> None:
    cases = [
        (way, source) for ways in WAYS[event].values() for way in ways for source in AvisOutcome
    ]
    for number, (way, source) in enumerate(cases, start=1):
        subject = Subject.claimed(register, desk, number)
        if number % 2:
            accept_text(subject)
        prepare(subject, event, way, source)
        way(subject)
    wrong = register.rows("""
        SELECT outcome, text, renewal_rank FROM avis
        WHERE outcome = 'pending' AND (text IS NULL) <> (renewal_rank IS NULL)
    """)
    assert wrong == []


@pytest.mark.parametrize(
    "outcome", [PENDING, *sorted(BY_TRANSITION[AvisEvent.OPENED].targets - {PENDING})]
)
def test_an_avis_is_opened_with_its_page_and_nothing_stands_on_it(
    outcome: AvisOutcome, register: Register, desk: Desk
) -> None:
    subject = Subject.claimed(register, desk, 1)
    register.execute("DELETE FROM avis")
    register.execute("DELETE FROM pro_localisations")
    {
        PENDING: no_change,
        AvisOutcome.SKIPPED_NON_DIFFUSIBLE: hide,
        AvisOutcome.SKIPPED_SOLE_TRADER: become_sole_trader,
        AvisOutcome.SKIPPED_OPPOSITION: oppose,
        AvisOutcome.NOT_UNDERSTOOD: become_unknown,
    }[outcome](subject)
    subject.renew()
    [row] = register.rows("SELECT * FROM avis")
    assert row["outcome"] == outcome
    assert [row[column] for column in COLUMNS] == [None] * len(COLUMNS)


def test_a_result_with_another_token_changes_nothing(register: Register, desk: Desk) -> None:
    subject = Subject.claimed(register, desk, 1)
    stranger = replace(subject.claim, token=uuid.uuid4())
    before = subject.row
    for reasons in ((), ("rating",)):
        assert desk.store(stranger, reasons=reasons) == [Fate.DISCARDED]
    assert park(register.engine, [parkable(stranger)]) == set()
    release_claims(register.engine, [subject.avis_id], [stranger])
    assert subject.row == before
    assert desk.store(subject.claim) == [Fate.ACCEPTED]


def test_a_claim_stands_until_its_lease_ends(register: Register, desk: Desk) -> None:
    subject = Subject.claimed(register, desk, 1)
    before = subject.row
    assert desk.claim([subject.avis_id]) == ()
    send_again([register.engine], [subject.avis_id])
    assert subject.row == before
    subject.end_lease()
    [later] = desk.claim([subject.avis_id])
    assert later.token != subject.claim.token
    assert desk.store(subject.claim) == [Fate.DISCARDED]
    assert desk.store(later) == [Fate.ACCEPTED]


def test_an_accepted_result_stored_again_is_recognised_by_its_token(
    register: Register, desk: Desk
) -> None:
    subject = Subject.claimed(register, desk, 1)
    assert desk.store(subject.claim) == [Fate.ACCEPTED]
    before = subject.row
    assert desk.store(subject.claim) == [Fate.ACCEPTED]
    assert subject.row == before
