"""Failed items are shown, and deleted only once they are resolved."""

import json
from typing import Any

import pytest

from tests.integration.commands import Sirenade
from tests.integration.operator.failed_items import add_item, add_rejected, open_items
from tests.integration.reviewer.conftest import Desk as ReviewersDesk
from tests.integration.reviewer.conftest import Register
from tests.integration.writer.desk import Desk

ON_TWO_SHARDS = True


def test_the_list_is_grouped_by_cause(sirenade: Sirenade, desk: Desk) -> None:
    for number in range(3):
        add_item(desk, key=f"7/1/0/{number}")
    add_item(desk, kind="review", key="1", code="too_short")
    causes = json.loads(sirenade("failed", "list", "--json").out)
    assert [(cause["kind"], cause["code"], cause["items"]) for cause in causes] == [
        ("write", "no_siret", 3),
        ("review", "too_short", 1),
    ]
    assert "too_short" in sirenade("failed", "list").out


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
    add_rejected(register, reviewers_desk, range(1, 3))
    add_item(desk)
    shown = json.loads(sirenade("failed", "show", "review", "--json").out)
    assert [item["avis_outcome"] for item in shown] == ["rejected", "rejected"]
    assert len(json.loads(sirenade("failed", "show", "review", "--limit=1", "--json").out)) == 1
    table = sirenade("failed", "show", "write")
    assert "7/1/0/3" in table.out
    assert "rejected" not in table.out


def test_only_what_was_resolved_long_ago_is_purged(sirenade: Sirenade, desk: Desk) -> None:
    old, recent, still_open = (add_item(desk, key=str(n)) for n in range(3))
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
    assert open_items(desk) == [still_open]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "99"], "no such failed item: 99"),
        (["show", "frob"], "'frob' is neither an id nor a kind"),
        (["retry", "99"], "no such failed item: 99"),
        (["retry"], "give ids"),
        (["retry", "1", "--all"], "give ids"),
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


def test_an_item_says_when_it_is_tried_again(sirenade: Sirenade, desk: Desk) -> None:
    item = add_item(desk, key=f"{1:014d}")
    (shown,) = json.loads(sirenade("failed", "show", item, "--json").out)
    assert shown["retries"] == 0
    assert shown["next_attempt_at"] > shown["created_at"]
    desk.execute("UPDATE failed_items SET resolved_at = now()")
    (shown,) = json.loads(sirenade("failed", "show", item, "--json").out)
    assert shown["next_attempt_at"] is None
    # An item without a siret cannot be ordered from INSEE.
    place = add_item(desk, key="7/1/0/3")
    (shown,) = json.loads(sirenade("failed", "show", place, "--json").out)
    assert shown["next_attempt_at"] is None
