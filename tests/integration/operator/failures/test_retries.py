"""Failed work is ordered again once, and its item is resolved only by the result."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from services.operator.failures import retries
from shared.db.shards import connected
from tests.integration.commands import Sirenade
from tests.integration.conftest import WaitFor
from tests.integration.operator.failed_items import add_item, add_rejected, open_items
from tests.integration.reviewer.conftest import Desk as ReviewersDesk
from tests.integration.reviewer.conftest import Register
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records

ON_TWO_SHARDS = True


def test_a_written_establishment_that_is_retried_is_resolved_only_when_it_is_written(
    sirenade: Sirenade, desk: Desk, records: Records, broken: dict[str, Any]
) -> None:
    told = sirenade("failed", "retry", broken["id"])
    run = desk.one("SELECT * FROM import_runs ORDER BY id DESC LIMIT 1")
    assert told.status == 0
    assert f"run {run['id']}" in told.out
    assert run["status"] == "pending"
    assert run["sirets"] == [broken["key"]]
    assert run["departements"] == run["communes"] == []
    assert open_items(desk) == [broken["id"]]

    desk.import_(records.record(1), run_id=run["id"], departement=None)
    item = desk.one("SELECT * FROM failed_items")
    assert item["resolved_at"] is not None
    assert item["attempts"] == broken["attempts"]


def test_many_establishments_are_one_run_and_are_not_asked_for_twice(
    sirenade: Sirenade, desk: Desk
) -> None:
    ids = [add_item(desk, key=f"{n:014d}", code="late") for n in (3, 1, 2)]
    other = add_item(desk, key=f"{4:014d}", code="other")
    first = json.loads(sirenade("failed", "retry", "--code", "late", "--json").out)
    assert sorted(first["fetched"]) == sorted(ids)
    assert desk.one("SELECT sirets FROM import_runs")["sirets"] == [f"{n:014d}" for n in (1, 2, 3)]
    again = json.loads(sirenade("failed", "retry", "--all", "--json").out)
    assert again["fetched"] == [other]
    assert again["under_way"] == sorted(ids)
    desk.execute("UPDATE import_runs SET status = 'complete'")
    assert json.loads(sirenade("failed", "retry", "--all", "--json").out)["under_way"] == []


def test_of_two_retries_at_once_the_second_waits_and_asks_for_nothing_twice(
    desk: Desk, wait_for: WaitFor
) -> None:
    ids = [add_item(desk, key=f"{number:014d}") for number in range(5)]

    def retry() -> retries.Retry:
        with connected(desk.shards, write=True) as connections:
            return retries.retry(connections, [], code=None)

    def waits() -> bool:
        return bool(desk.execute("SELECT 1 FROM pg_locks WHERE NOT granted"))

    with ThreadPoolExecutor(1) as pool:
        with connected(desk.shards, write=True) as connections:
            first = retries.retry(connections, [], code=None)
            second = pool.submit(retry)
            wait_for(lambda: waits() or second.done())
        outcome = second.result(timeout=10)
    assert sorted(first.fetched) == sorted(outcome.under_way) == sorted(ids)
    assert outcome.run_id is None
    assert desk.number("import_runs") == 1


def test_an_item_without_a_siret_is_pointed_to_its_batch(sirenade: Sirenade, desk: Desk) -> None:
    item = add_item(desk, key="7/1/0/3")
    told = sirenade("failed", "retry", "--all")
    assert told.status == 0
    assert told.out == (
        f"1 without a siret: import the window of their batch again (items {item})\n"
    )
    assert desk.number("import_runs") == 0


def test_a_rejected_avis_that_is_retried_is_due_and_resolved_when_its_text_is_accepted(
    sirenade: Sirenade, desk: Desk, register: Register, reviewers_desk: ReviewersDesk
) -> None:
    (avis_id,) = add_rejected(register, reviewers_desk, range(1, 2))
    register.execute("UPDATE avis SET attempts = 11, published_at = now()")
    assert sirenade("failed", "retry", "--all").status == 0
    avis = register.avis(avis_id)
    assert (avis["outcome"], avis["attempts"]) == ("pending", 0)
    assert avis["published_at"] is avis["claim_token"] is avis["lease_until"] is None
    assert len(open_items(desk)) == 1

    reviewers_desk.store(*reviewers_desk.claim([avis_id]))
    assert register.avis(avis_id)["outcome"] == "accepted"
    assert open_items(desk) == []


def test_an_item_whose_avis_is_no_longer_due_is_closed_with_the_reason_and_is_not_resolved(
    sirenade: Sirenade, desk: Desk, register: Register, reviewers_desk: ReviewersDesk
) -> None:
    opposed, closed, cancelled, claimed = add_rejected(register, reviewers_desk, range(1, 5))
    register.oppose(register.siren(1))
    register.execute(
        """
        UPDATE pro_localisations SET status = 'closed'
        WHERE id = (SELECT pro_localisation_id FROM avis WHERE id = :id)
        """,
        id=closed,
    )
    register.execute("UPDATE avis SET outcome = 'cancelled' WHERE id = :id", id=cancelled)
    register.execute("UPDATE avis SET outcome = 'pending' WHERE id = :id", id=claimed)
    (claim,) = reviewers_desk.claim([claimed])
    outcome = json.loads(sirenade("failed", "retry", "--all", "--json").out)
    assert len(outcome["no_longer_due"]) == 3
    assert len(outcome["reviewed"]) == 1
    assert register.avis(opposed)["outcome"] == register.avis(closed)["outcome"] == "rejected"
    assert register.avis(cancelled)["outcome"] == "cancelled"
    assert str(register.avis(claimed)["claim_token"]) == str(claim.token)
    assert len(open_items(desk)) == 1
    reasons = desk.execute("SELECT closed_because FROM failed_items ORDER BY id")
    assert [row["closed_because"] for row in reasons] == [
        "opposition",
        "the page is closed",
        "the avis is cancelled",
        None,
    ]
    numbers = json.loads(sirenade("stats", "--json").out)["failed_items"]
    assert numbers == {"open": 1, "resolved": 0, "no_longer_due": 3}


def test_nothing_is_retried_where_one_of_the_ids_is_unknown_or_resolved(
    sirenade: Sirenade, desk: Desk
) -> None:
    fine, resolved = add_item(desk, key="1" * 14), add_item(desk, key="2" * 14)
    desk.execute("UPDATE failed_items SET resolved_at = now() WHERE id = :id", id=resolved)
    assert sirenade("failed", "retry", fine, 99).status == 2
    answer = sirenade("failed", "retry", fine, resolved)
    assert answer.status == 2
    assert f"resolved already: {resolved}" in answer.err
    assert desk.number("import_runs") == 0
