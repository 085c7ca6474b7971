"""People who object: orders of erasures, and what is held about a unit."""

from typing import TYPE_CHECKING

import pytest

from services.operator.editorial import people
from services.operator.editorial.people import (
    held_about,
    list_erasures,
    order_erasure,
    read_opposition,
)
from services.writer.erasure.orders import ErasureOrders
from shared.clock import Clock

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register

SIREN = "000000001"


def test_what_is_held_is_told_and_goes_with_the_erasure(
    register: "Register", reviewers_desk: "Desk"
) -> None:
    reviewers_desk.store(*reviewers_desk.claim(register.add(range(1, 3))))
    with register.engine.begin() as connection:
        held = dict(held_about(connection, SIREN))
        assert {
            "unites_legales",
            "etablissements",
            "pro_localisations",
            "avis",
            "avis_attempts",
        } == (held.keys())
        assert [row["denomination"] for row in held["unites_legales"]] == ["ATELIER DUPONT 1"]
        order_erasure(connection, SIREN, "letter 12")
    ErasureOrders([register.engine], Clock()).step()
    with register.engine.connect() as connection:
        [done], _ = list_erasures([connection])
        assert (done.siren, done.status, done.reason) == (SIREN, "done", "letter 12")
        opposition = read_opposition(connection, SIREN)
        assert opposition is not None
        assert opposition.reason == "letter 12"
        assert "Dupont" not in str(dict(held_about(connection, SIREN)))


def test_orders_of_erasures_are_read_page_by_page(
    register: "Register", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "_MOST", 2)
    with register.engine.begin() as connection:
        ids = [order_erasure(connection, SIREN, f"letter {each}") for each in range(5)]
        seen: list[int] = []
        before: int | None = None
        while True:
            page, before = list_erasures([connection], before)
            seen += [each.id for each in page]
            if before is None:
                break
    assert seen == ids[::-1]
