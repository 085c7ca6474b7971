"""The job tries failed items again, at growing intervals."""

from typing import Any

import pytest
from sqlalchemy import text

from services.operator.failures import retries
from services.operator.jobs.catalogue import retry_failed
from shared.db.shards import connected
from tests.integration.commands import Sirenade
from tests.integration.operator.failed_items import (
    add_item,
    add_rejected,
    hours_to_next,
    open_items,
)
from tests.integration.reviewer.conftest import Desk as ReviewersDesk
from tests.integration.reviewer.conftest import Register
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records

ON_TWO_SHARDS = True


def _turn(desk: Desk) -> str:
    """Run the scheduled job once."""
    with connected(desk.shards, write=True) as connections:
        return retry_failed(*connections)


def _let_time_pass(desk: Desk) -> None:
    desk.execute("UPDATE failed_items SET next_attempt_at = now()")
    desk.execute("UPDATE import_runs SET status = 'complete'")


def test_the_schedule_retries_after_1_4_and_24_hours_and_then_every_week(
    desk: Desk, records: Records, broken: dict[str, Any]
) -> None:
    assert hours_to_next(desk) == [1]
    assert _turn(desk) == "nothing due"
    for hours in (4, 24, 168, 168):
        _let_time_pass(desk)
        assert "1 fetched again in run" in _turn(desk)
        assert hours_to_next(desk) == [hours]
        # The row fails again, and stays the only open item.
        run = desk.one("SELECT id FROM import_runs ORDER BY id DESC LIMIT 1")["id"]
        desk.import_(records.record(1, treated="no date at all"), run_id=run)
        assert open_items(desk) == [broken["id"]]
    item = desk.one("SELECT * FROM failed_items")
    assert (item["retries"], item["attempts"]) == (4, 5)

    _let_time_pass(desk)
    _turn(desk)
    desk.import_(records.record(1))
    assert open_items(desk) == []
    assert desk.one("SELECT closed_because FROM failed_items") == {"closed_because": None}


def test_what_is_on_its_way_is_looked_at_again_later_and_not_counted_as_a_retry(
    sirenade: Sirenade, desk: Desk
) -> None:
    add_item(desk, key=f"{1:014d}")
    assert sirenade("failed", "retry", "--all").status == 0
    assert hours_to_next(desk) == [4]
    desk.execute("UPDATE failed_items SET next_attempt_at = now()")
    assert _turn(desk) == "1 on their way already"
    assert hours_to_next(desk) == [1]
    assert desk.one("SELECT retries FROM failed_items") == {"retries": 1}
    assert desk.number("import_runs") == 1


@pytest.mark.parametrize("shard_urls", [1], indirect=True)
def test_the_schedule_takes_the_oldest_first_and_no_more_than_its_part(desk: Desk) -> None:
    ids = [add_item(desk, key=f"{number:014d}") for number in range(4)]
    add_item(desk, key="7/1/0/3")
    desk.execute(
        "UPDATE failed_items SET next_attempt_at = now() - make_interval(hours => id::int)"
    )
    with desk.engine.begin() as connection:
        assert retries.retry_due([connection], limit=3).fetched == ids[1:]
    with desk.engine.begin() as connection:
        assert retries.retry_due([connection], limit=3).fetched == ids[:1]
    with desk.engine.begin() as connection:
        assert retries.retry_due([connection], limit=3) == retries.Retry()


def test_the_schedule_makes_rejected_avis_due_again_and_closes_what_nobody_wants(
    desk: Desk, register: Register, reviewers_desk: ReviewersDesk
) -> None:
    wanted, unwanted = add_rejected(register, reviewers_desk, range(1, 3))
    register.oppose(register.siren(2))
    # The item that nobody wants is closed at once, before its next attempt.
    assert _turn(desk) == "1 closed, no longer due"
    _let_time_pass(desk)
    assert _turn(desk) == "1 due for review again"
    assert register.avis(wanted)["outcome"] == "pending"
    assert register.avis(unwanted)["outcome"] == "rejected"
    assert hours_to_next(desk) == [4]


def test_an_item_that_the_writer_holds_is_left_to_it(desk: Desk) -> None:
    add_item(desk, key=f"{1:014d}")
    _let_time_pass(desk)
    with desk.home_of({"siret": f"{1:014d}"}).begin() as writer:
        writer.execute(text("SELECT 1 FROM failed_items FOR UPDATE"))
        # The work is ordered all the same; only the next attempt of the item stays.
        assert "1 fetched again" in _turn(desk)
    assert desk.one("SELECT retries FROM failed_items") == {"retries": 0}
