from datetime import datetime
from typing import Any

import pytest

from services.fetcher.commands.delta import checked_order
from services.fetcher.plan.deltas import DeltaOrder
from shared.errors import UserError


def test_an_order_keeps_dates_as_insee_writes_them() -> None:
    found = checked_order(since="2026-08-03T22:00:00Z", overlap_hours=24, wait_minutes=2)
    assert found == DeltaOrder(datetime.fromisoformat("2026-08-04"), 24, wait_seconds=120)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"since": "yesterday"}, "'yesterday' is no date"),
        ({"since": "2026-02-30"}, "is no date"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "is no date"),
        ({"since": "1900-01-01"}, "before 1973"),
        ({"overlap_hours": -1}, "--overlap-hours -1: use 0 to"),
        ({"overlap_hours": float("nan")}, "--overlap-hours nan: use 0 to"),
        ({"wait_minutes": 100_000}, "--wait-minutes 100000: use 0 to"),
    ],
)
def test_an_order_that_makes_no_sense_is_one_line(wrong: dict[str, Any], said: str) -> None:
    order: dict[str, Any] = {"since": None, "overlap_hours": 24.0, "wait_minutes": 0.0}
    with pytest.raises(UserError) as caught:
        checked_order(**order | wrong)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
