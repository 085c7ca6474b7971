"""The log has a page whose text is accepted, held, released, rejected, edited or withdrawn."""

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy import text

from shared.avis import PENDING, AvisEvent, AvisOutcome, OrderVerb
from shared.db.quotations import expire, withdraw
from tests.integration.reviewer.avis_events import (
    WAYS,
    WAYS_THAT_STAY,
    Event,
    Subject,
    order,
    prepare,
)
from tests.integration.reviewer.conftest import Desk, Register
from tests.integration.shown_pages import watched

# Writer, reviewer and owner share one session here, and its temporary tables.
pytestmark = pytest.mark.one_role

_URL = "https://avis.example/1"
_TEXT = """text = 'Un texte.', label = 'l', model = 'm', prompt_version = 'v',
    accepted_facts_hash = facts_hash, accepted_at = now(), display_name = 'n', json_ld = '{}'"""
_REVIEW = """
    INSERT INTO sources (digest, siret, siren, url, licence, author_label, published_on,
      experienced_on, verbatim, site, review_id, verification, counterpart, publication_days,
      retention_days, author_contact, doubt_url)
    VALUES ('1', :siret, left(:siret, 9), :url, 'l', 'A', :day, :day, 'v', 's', '1', 'none', false,
      1, 30, false, 'd')
"""


def accepted(register: Register, desk: Desk, number: int = 1) -> Subject:
    """Return an avis whose text is shown."""
    subject = Subject.claimed(register, desk, number)
    subject.set(f"outcome = 'accepted', {_TEXT}")
    return subject


@pytest.mark.parametrize("has_text", [True, False], ids=["text", "no text"])
@pytest.mark.parametrize("event", WAYS, ids=str)
def test_an_event_is_noted_if_and_only_if_the_page_shows_something_else(
    event: AvisEvent, register: Register, desk: Desk, *, has_text: bool
) -> None:
    cases: list[tuple[Event, AvisOutcome]] = [
        (way, source) for ways in WAYS[event].values() for way in ways for source in AvisOutcome
    ]
    for number, (way, source) in enumerate(cases, start=1):
        subject = Subject.claimed(register, desk, number)
        prepare(subject, event, way, source)
        if has_text:
            subject.set(_TEXT)
        with watched(register.engine) as found:
            way(subject)
        assert set(found) <= {subject.siret}


@pytest.mark.parametrize("event", WAYS_THAT_STAY, ids=str)
def test_a_hold_and_its_end_are_noted(event: AvisEvent, register: Register, desk: Desk) -> None:
    subject = accepted(register, desk)
    WAYS_THAT_STAY[event].prepare(subject)
    with watched(register.engine) as found:
        WAYS_THAT_STAY[event].happen(subject)
    assert found == {subject.siret: "text"}


@pytest.mark.parametrize(
    "happen", [order(OrderVerb.REJECT), order(OrderVerb.EDIT, "Un autre texte.")]
)
def test_an_order_that_changes_the_text_is_noted(
    happen: Event, register: Register, desk: Desk
) -> None:
    subject = accepted(register, desk)
    with watched(register.engine) as found:
        happen(subject)
    assert found == {subject.siret: "text"}


def test_a_text_that_takes_the_place_of_another_is_noted(register: Register, desk: Desk) -> None:
    subject = Subject.claimed(register, desk, 1)
    subject.set(_TEXT)
    with watched(register.engine) as found:
        desk.store(subject.claim)
    assert found == {subject.siret: "text"}


def test_what_a_page_does_not_show_is_not_noted(register: Register, desk: Desk) -> None:
    subject = accepted(register, desk)
    subject.set(f"outcome = '{PENDING}', lease_until = NULL")
    with watched(register.engine) as found:
        desk.claim([subject.avis_id])
        subject.end_lease()
        subject.set("outcome = 'accepted', attempts = 3, context_hash = 'x'")
    assert found == {}


@pytest.mark.parametrize(
    "end",
    [
        lambda connection: expire(connection, dt.date(2026, 11, 30)),
        lambda connection: withdraw(connection, _URL, dt.date(2026, 1, 2)),
    ],
    ids=["expired", "withdrawn"],
)
def test_the_end_of_a_quoted_review_is_noted(
    end: Callable[..., object], register: Register, desk: Desk
) -> None:
    subject = accepted(register, desk)
    subject.set("kind = 'synthese'")
    register.execute(_REVIEW, siret=subject.siret, url=_URL, day=dt.date(2026, 1, 1))
    with watched(register.engine) as found:
        subject.act(end)
    assert found == {subject.siret: "text"}
    assert register.rows("SELECT text FROM avis WHERE text IS NOT NULL") == []


def test_a_text_of_a_closed_page_is_not_noted(register: Register, desk: Desk) -> None:
    subject = accepted(register, desk)
    register.execute("UPDATE pro_localisations SET status = 'closed'")
    with watched(register.engine) as found:
        register.execute("UPDATE avis SET text = 'Un autre.'")
    assert found == {}
    with register.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM avis_published")) == 0
    assert subject.row["text"] == "Un autre."
