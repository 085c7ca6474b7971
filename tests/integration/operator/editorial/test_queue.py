"""The queue of held texts keeps its order while editors work on it."""

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from services.operator.editorial import queue
from services.operator.editorial.queue import START, count_held, latest_decisions, read_queue
from shared.avis import HoldReason, OrderVerb, TextOrder
from shared.texts.orders import place_order

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register


@pytest.fixture
def ids(register: "Register", reviewers_desk: "Desk") -> list[int]:
    """Six held texts, the last ones held first."""
    ids = register.add(range(1, 7))
    reviewers_desk.store(*reviewers_desk.claim(ids))
    for number, each in enumerate(ids):
        register.execute(
            "UPDATE avis SET held_because = :because,"
            " held_at = timestamptz '2026-11-01' - make_interval(days => :days) WHERE id = :id",
            because="asked" if number % 2 else "first_texts",
            days=number // 2,
            id=each,
        )
    return ids


def test_the_oldest_hold_comes_first_and_pages_go_on_behind_it(
    register: "Register", ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "PAGE", 2)
    with register.engine.connect() as connection:
        first = read_queue([connection])
        assert [each.id for each in first.texts] == [ids[4], ids[5]]
        assert first.after is not None
        second = read_queue([connection], first.after)
        assert [each.id for each in second.texts] == [ids[2], ids[3]]
        assert second.after is not None
        last = read_queue([connection], second.after)
        assert ([each.id for each in last.texts], last.after) == ([ids[0], ids[1]], None)
        assert count_held([connection]) == {"asked": 3, "first_texts": 3}
        asked = read_queue([connection], START, HoldReason.ASKED)
        assert [each.id for each in asked.texts] == [ids[5], ids[3]]


def test_a_text_with_an_order_waits_outside_and_comes_back_with_its_refusal(
    register: "Register", ids: list[int]
) -> None:
    with register.engine.begin() as connection:
        first = read_queue([connection]).texts[0]
        order = TextOrder(
            siret=first.siret,
            verb=OrderVerb.RELEASE,
            ordered_by="ada",
            reason="read",
            seen=first.seen,
        )
        place_order(connection, order)
        assert ids[4] not in [each.id for each in read_queue([connection]).texts]
        [decision] = latest_decisions([connection])
        assert (decision.siret, decision.verb, decision.status) == (
            first.siret,
            "release",
            "pending",
        )
        connection.execute(text("UPDATE avis_orders SET status = 'refused', refusal = 'no'"))
        back = read_queue([connection]).texts[0]
    assert (back.id, back.last_verb, back.last_refusal) == (ids[4], "release", "no")
    assert back.seen != first.seen
