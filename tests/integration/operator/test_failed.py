"""What failed is looked at, tried again, and forgotten only once it is resolved."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from services.operator import failed
from services.operator.jobs import retry_failed
from shared.db.shards import connected
from tests.integration.commands import Sirenade
from tests.integration.reviewer.conftest import Desk as ReviewersDesk
from tests.integration.reviewer.conftest import Register
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records

ON_TWO_SHARDS = True


@pytest.fixture
def broken(desk: Desk, records: Records) -> dict[str, Any]:
    """An establishment that could not be written, and its open item."""
    record = records.record(1, treated="no date at all")
    desk.import_(record, records.record(2))
    return desk.one("SELECT * FROM failed_items")


def _item(desk: Desk, **values: object) -> int:
    row = {"kind": "write", "key": "7/1/0/3", "siren": None, "code": "no_siret"} | values
    return int(
        desk.one(
            """
            INSERT INTO failed_items (kind, key, siren, code, message)
            VALUES (:kind, :key, :siren, :code, 'said') RETURNING id
            """,
            **row,
        )["id"]
    )


def _rejected(register: Register, desk: ReviewersDesk, numbers: range) -> list[int]:
    """Avis that the reviewer gave up on, each with its open item."""
    ids = register.add(numbers)
    desk.store(*desk.claim(ids), reasons=("too_short",))
    return ids


def _open(desk: Desk) -> list[int]:
    return [
        row["id"]
        for row in desk.execute("SELECT id FROM failed_items WHERE resolved_at IS NULL ORDER BY id")
    ]


def test_the_list_is_grouped_by_cause(sirenade: Sirenade, desk: Desk) -> None:
    for number in range(3):
        _item(desk, key=f"7/1/0/{number}")
    _item(desk, kind="review", key="1", code="too_short")
    causes = json.loads(sirenade("failed", "list", "--json").out)
    assert [(cause["kind"], cause["code"], cause["items"]) for cause in causes] == [
        ("write", "no_siret", 3),
        ("review", "too_short", 1),
    ]
    assert "too_short" in sirenade("failed", "list").out


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
    assert _open(desk) == [broken["id"]]

    desk.import_(records.record(1), run_id=run["id"], departement=None)
    item = desk.one("SELECT * FROM failed_items")
    assert item["resolved_at"] is not None
    assert item["attempts"] == broken["attempts"]


def test_many_establishments_are_one_run_and_are_not_asked_for_twice(
    sirenade: Sirenade, desk: Desk
) -> None:
    ids = [_item(desk, key=f"{n:014d}", code="late") for n in (3, 1, 2)]
    other = _item(desk, key=f"{4:014d}", code="other")
    first = json.loads(sirenade("failed", "retry", "--code", "late", "--json").out)
    assert sorted(first["fetched"]) == sorted(ids)
    assert desk.one("SELECT sirets FROM import_runs")["sirets"] == [f"{n:014d}" for n in (1, 2, 3)]
    again = json.loads(sirenade("failed", "retry", "--all", "--json").out)
    assert again["fetched"] == [other]
    assert again["under_way"] == sorted(ids)
    desk.execute("UPDATE import_runs SET status = 'complete'")
    assert json.loads(sirenade("failed", "retry", "--all", "--json").out)["under_way"] == []


def test_of_two_retries_at_once_the_second_waits_and_asks_for_nothing_twice(
    desk: Desk, wait_for: Any
) -> None:
    ids = [_item(desk, key=f"{number:014d}") for number in range(5)]

    def retry() -> failed.Retry:
        with connected(desk.shards, write=True) as connections:
            return failed.retry(connections, [], code=None)

    def waits() -> bool:
        return bool(desk.execute("SELECT 1 FROM pg_locks WHERE NOT granted"))

    with ThreadPoolExecutor(1) as pool:
        with connected(desk.shards, write=True) as connections:
            first = failed.retry(connections, [], code=None)
            second = pool.submit(retry)
            wait_for(lambda: waits() or second.done())
        outcome = second.result(timeout=10)
    assert sorted(first.fetched) == sorted(outcome.under_way) == sorted(ids)
    assert outcome.run_id is None
    assert desk.number("import_runs") == 1


def test_an_item_without_a_siret_is_pointed_to_its_batch(sirenade: Sirenade, desk: Desk) -> None:
    item = _item(desk, key="7/1/0/3")
    told = sirenade("failed", "retry", "--all")
    assert told.status == 0
    assert told.out == (
        f"1 without a siret: import the window of their batch again (items {item})\n"
    )
    assert desk.number("import_runs") == 0


def test_a_rejected_avis_that_is_retried_is_due_and_resolved_when_its_text_is_accepted(
    sirenade: Sirenade, desk: Desk, register: Register, reviewers_desk: ReviewersDesk
) -> None:
    (avis_id,) = _rejected(register, reviewers_desk, range(1, 2))
    register.execute("UPDATE avis SET attempts = 11, published_at = now()")
    assert sirenade("failed", "retry", "--all").status == 0
    avis = register.avis(avis_id)
    assert (avis["outcome"], avis["attempts"]) == ("pending", 0)
    assert avis["published_at"] is avis["claim_token"] is avis["lease_until"] is None
    assert len(_open(desk)) == 1

    reviewers_desk.store(*reviewers_desk.claim([avis_id]))
    assert register.avis(avis_id)["outcome"] == "accepted"
    assert _open(desk) == []


def test_an_item_whose_avis_is_no_longer_due_is_closed_with_the_reason_and_is_not_resolved(
    sirenade: Sirenade, desk: Desk, register: Register, reviewers_desk: ReviewersDesk
) -> None:
    opposed, closed, cancelled, claimed = _rejected(register, reviewers_desk, range(1, 5))
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
    assert len(_open(desk)) == 1
    reasons = desk.execute("SELECT closed_because FROM failed_items ORDER BY id")
    assert [row["closed_because"] for row in reasons] == [
        "opposition",
        "the page is closed",
        "the avis is cancelled",
        None,
    ]
    numbers = json.loads(sirenade("stats", "--json").out)["failed_items"]
    assert numbers == {"open": 1, "resolved": 0, "no_longer_due": 3}


def test_a_payload_is_shown_when_asked_for_and_never_of_a_unit_that_has_withdrawn(
    sirenade: Sirenade, desk: Desk, broken: dict[str, Any]
) -> None:
    def shown(*options: str) -> dict[str, Any]:
        (item,) = json.loads(sirenade("failed", "show", broken["id"], "--json", *options).out)
        assert isinstance(item, dict)
        return item

    assert "payload" not in shown()
    assert shown()["batch_id"] == broken["batch_id"]
    assert shown("--payload")["payload"]["siret"] == broken["key"]
    desk.execute(
        "INSERT INTO oppositions (siren, reason) VALUES (:siren, 'asked')", siren=broken["siren"]
    )
    assert "withheld" in shown("--payload")["payload"]
    desk.execute("UPDATE failed_items SET siren = NULL")
    assert "withheld" in shown("--payload")["payload"]
    desk.execute("DELETE FROM oppositions")
    desk.execute(
        """
        INSERT INTO unites_legales (siren, statut_diffusion, content_hash, fetched_at)
        VALUES (:siren, 'P', '', now())
        """,
        siren=broken["siren"],
    )
    assert "withheld" in shown("--payload")["payload"]


def test_items_are_shown_by_kind_with_what_surrounds_them(
    sirenade: Sirenade, desk: Desk, register: Register, reviewers_desk: ReviewersDesk
) -> None:
    _rejected(register, reviewers_desk, range(1, 3))
    _item(desk)
    shown = json.loads(sirenade("failed", "show", "review", "--json").out)
    assert [item["avis_outcome"] for item in shown] == ["rejected", "rejected"]
    assert len(json.loads(sirenade("failed", "show", "review", "--limit=1", "--json").out)) == 1
    table = sirenade("failed", "show", "write")
    assert "7/1/0/3" in table.out
    assert "rejected" not in table.out


def test_only_what_was_resolved_long_ago_is_purged(sirenade: Sirenade, desk: Desk) -> None:
    old, recent, still_open = (_item(desk, key=str(n)) for n in range(3))
    set_age = "UPDATE failed_items SET created_at = '2000-01-01', resolved_at = now() - make_interval(days => :days) WHERE id = :id"  # noqa: E501  one statement
    desk.execute(set_age, days=31, id=old)
    desk.execute(set_age, days=29, id=recent)
    assert sirenade("failed", "purge").out == "1 resolved items deleted\n"
    assert [row["id"] for row in desk.execute("SELECT id FROM failed_items ORDER BY id")] == [
        recent,
        still_open,
    ]
    assert json.loads(sirenade("failed", "purge", "--older-than-days=0", "--json").out) == {
        "deleted": 1
    }
    assert _open(desk) == [still_open]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "99"], "no such failed item: 99"),
        (["show", "frob"], "'frob' is neither an id nor a kind"),
        (["retry", "99"], "no such failed item: 99"),
        (["retry"], "say which"),
        (["retry", "1", "--all"], "say which"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line_and_status_2(
    sirenade: Sirenade, arguments: list[str], said: str
) -> None:
    answer = sirenade("failed", *arguments)
    assert answer.status == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1


def test_nothing_is_retried_where_one_of_the_ids_is_unknown_or_resolved(
    sirenade: Sirenade, desk: Desk
) -> None:
    fine, resolved = _item(desk, key="1" * 14), _item(desk, key="2" * 14)
    desk.execute("UPDATE failed_items SET resolved_at = now() WHERE id = :id", id=resolved)
    assert sirenade("failed", "retry", fine, 99).status == 2
    answer = sirenade("failed", "retry", fine, resolved)
    assert answer.status == 2
    assert f"resolved already: {resolved}" in answer.err
    assert desk.number("import_runs") == 0


def _turn(desk: Desk) -> str:
    """One run of the scheduled job."""
    with connected(desk.shards, write=True) as connections:
        return retry_failed(*connections)


def _hours_to_next(desk: Desk) -> list[float]:
    rows = desk.execute(
        """
        SELECT round(extract(epoch FROM next_attempt_at - now()) / 3600)::float AS hours
        FROM failed_items WHERE resolved_at IS NULL ORDER BY id
        """
    )
    return [row["hours"] for row in rows]


def _let_time_pass(desk: Desk) -> None:
    desk.execute("UPDATE failed_items SET next_attempt_at = now()")
    desk.execute("UPDATE import_runs SET status = 'complete'")


def test_the_schedule_retries_after_1_4_and_24_hours_and_then_every_week(
    desk: Desk, records: Records, broken: dict[str, Any]
) -> None:
    assert _hours_to_next(desk) == [1]
    assert _turn(desk) == "nothing due"
    for hours in (4, 24, 168, 168):
        _let_time_pass(desk)
        assert "1 fetched again in run" in _turn(desk)
        assert _hours_to_next(desk) == [hours]
        # It fails again, and stays the one open item.
        run = desk.one("SELECT id FROM import_runs ORDER BY id DESC LIMIT 1")["id"]
        desk.import_(records.record(1, treated="no date at all"), run_id=run)
        assert _open(desk) == [broken["id"]]
    item = desk.one("SELECT * FROM failed_items")
    assert (item["retries"], item["attempts"]) == (4, 5)

    _let_time_pass(desk)
    _turn(desk)
    desk.import_(records.record(1))
    assert _open(desk) == []
    assert desk.one("SELECT closed_because FROM failed_items") == {"closed_because": None}


def test_what_is_on_its_way_is_looked_at_again_later_and_not_counted_as_a_retry(
    sirenade: Sirenade, desk: Desk
) -> None:
    _item(desk, key=f"{1:014d}")
    assert sirenade("failed", "retry", "--all").status == 0
    assert _hours_to_next(desk) == [4]
    desk.execute("UPDATE failed_items SET next_attempt_at = now()")
    assert _turn(desk) == "1 on their way already"
    assert _hours_to_next(desk) == [1]
    assert desk.one("SELECT retries FROM failed_items") == {"retries": 1}
    assert desk.number("import_runs") == 1


@pytest.mark.parametrize("shard_urls", [1], indirect=True)
def test_the_schedule_takes_the_oldest_first_and_no_more_than_its_part(desk: Desk) -> None:
    ids = [_item(desk, key=f"{number:014d}") for number in range(4)]
    _item(desk, key="7/1/0/3")
    desk.execute(
        "UPDATE failed_items SET next_attempt_at = now() - make_interval(hours => id::int)"
    )
    with desk.engine.begin() as connection:
        assert failed.retry_due([connection], limit=3).fetched == ids[1:]
    with desk.engine.begin() as connection:
        assert failed.retry_due([connection], limit=3).fetched == ids[:1]
    with desk.engine.begin() as connection:
        assert failed.retry_due([connection], limit=3) == failed.Retry()


def test_the_schedule_makes_rejected_avis_due_again_and_closes_what_nobody_wants(
    desk: Desk, register: Register, reviewers_desk: ReviewersDesk
) -> None:
    wanted, unwanted = _rejected(register, reviewers_desk, range(1, 3))
    register.oppose(register.siren(2))
    # The one that nobody wants is closed at once, whenever its next attempt would be.
    assert _turn(desk) == "1 closed, no longer due"
    _let_time_pass(desk)
    assert _turn(desk) == "1 due for review again"
    assert register.avis(wanted)["outcome"] == "pending"
    assert register.avis(unwanted)["outcome"] == "rejected"
    assert _hours_to_next(desk) == [4]


def test_an_item_that_the_writer_holds_is_left_to_it(desk: Desk) -> None:
    _item(desk, key=f"{1:014d}")
    _let_time_pass(desk)
    with desk.home_of({"siret": f"{1:014d}"}).begin() as writer:
        writer.execute(text("SELECT 1 FROM failed_items FOR UPDATE"))
        # Asked for all the same; only its next attempt stays as it was.
        assert "1 fetched again" in _turn(desk)
    assert desk.one("SELECT retries FROM failed_items") == {"retries": 0}


def test_an_item_says_when_it_is_tried_again(sirenade: Sirenade, desk: Desk) -> None:
    item = _item(desk, key=f"{1:014d}")
    (shown,) = json.loads(sirenade("failed", "show", item, "--json").out)
    assert shown["retries"] == 0
    assert shown["next_attempt_at"] > shown["created_at"]
    desk.execute("UPDATE failed_items SET resolved_at = now()")
    (shown,) = json.loads(sirenade("failed", "show", item, "--json").out)
    assert shown["next_attempt_at"] is None
    # Without a siret nothing can be asked for.
    place = _item(desk, key="7/1/0/3")
    (shown,) = json.loads(sirenade("failed", "show", place, "--json").out)
    assert shown["next_attempt_at"] is None
