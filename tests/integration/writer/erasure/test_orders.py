"""An erasure that somebody orders in the console is that of the command, once, or is refused."""

from typing import TYPE_CHECKING

import pytest

from services.writer.erasure.orders import ErasureOrders
from shared.clock import Clock
from tests.integration.writer.scene import NATURAL, SIREN, WORDS, Scene
from tests.integration.writer.whole_database import places_of

if TYPE_CHECKING:
    from tests.integration.writer.desk import Desk
    from tests.integration.writer.records import Records


@pytest.fixture
def orders(desk: "Desk") -> ErasureOrders:
    return ErasureOrders([desk.engine], Clock())


def place(desk: "Desk", siren: str) -> None:
    desk.execute(
        "INSERT INTO erasure_orders (siren, reason) VALUES (:siren, 'letter 12')", siren=siren
    )


def test_an_order_erases_the_unit_and_says_how_many_rows(
    desk: "Desk", records: "Records", orders: ErasureOrders
) -> None:
    Scene(desk, records, NATURAL).fill()
    place(desk, SIREN)
    place(desk, SIREN)
    orders.step()
    assert places_of(desk.engine, *WORDS) == []
    first, second = desk.execute("SELECT * FROM erasure_orders ORDER BY id")
    assert (first["status"], first["refusal"], second["status"]) == ("done", None, "done")
    assert first["erased_rows"] > second["erased_rows"]
    assert first["done_at"] >= first["ordered_at"]
    [opposition] = desk.execute("SELECT * FROM oppositions")
    assert (opposition["siren"], opposition["reason"]) == (SIREN, "letter 12")


def test_a_mistyped_number_is_refused_and_holds_up_no_other(
    desk: "Desk", orders: ErasureOrders
) -> None:
    place(desk, "123456789")
    place(desk, "552032534")
    orders.step()
    told = desk.execute("SELECT status, refusal FROM erasure_orders ORDER BY id")
    assert [row["status"] for row in told] == ["refused", "done"]
    assert "check digit" in told[0]["refusal"]
    assert [row["siren"] for row in desk.execute("SELECT siren FROM oppositions")] == ["552032534"]
