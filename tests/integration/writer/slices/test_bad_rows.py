"""Invariant 4: one bad row fails alone; anything else is retried and leaves nothing behind."""

import json
from typing import Any

import psycopg2
import pytest
from sqlalchemy.exc import DBAPIError

from services.writer.store import SliceStatus
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records

ON_TWO_SHARDS = True

_SECRET = "MADAME SECRET"  # a name, to be looked for


def _failed(desk: Desk) -> list[dict[str, Any]]:
    return [dict(row) for row in desk.execute("SELECT * FROM failed_items ORDER BY key")]


def test_a_record_that_cannot_be_mapped_fails_alone(desk: Desk, records: Records) -> None:
    bad = records.record(2, enseigne=_SECRET)
    bad["dateCreationEtablissement"] = _SECRET
    nameless = records.record(3)
    del nameless["siret"]
    result = desk.import_(records.record(1), bad, nameless, "no record")
    assert (result.inserted, result.failed) == (1, 3)
    items = {item["key"]: item for item in _failed(desk)}
    assert items[bad["siret"]]["code"] == "bad_date"
    assert items[bad["siret"]]["siren"] == bad["siren"]
    assert json.loads(bytes(items[bad["siret"]]["payload"])) == bad
    codes = {key.split("/")[-1]: item["code"] for key, item in items.items() if "/" in key}
    assert [codes[place] for place in sorted(codes)] == ["missing_siret", "bad_type"]
    assert not any(_SECRET in item["message"] for item in items.values())


@pytest.mark.parametrize(
    ("constraint", "sqlstate"),
    [
        ("CHECK (enseigne1 <> 'BAD')", "23514"),
        ("CHECK (length(enseigne1) / (CASE enseigne1 WHEN 'BAD' THEN 0 ELSE 1 END) >= 0)", "22012"),
    ],
)
def test_a_row_that_the_database_refuses_fails_alone(
    desk: Desk, records: Records, constraint: str, sqlstate: str
) -> None:
    desk.execute(f"ALTER TABLE etablissements ADD CONSTRAINT refusal {constraint}")
    slice_ = [
        records.record(n, enseigne="BAD" if n in {0, 77, 199} else f"GOOD {n}") for n in range(200)
    ]
    result = desk.import_(*slice_, departement=None)
    assert (result.inserted, result.failed) == (197, 3)
    assert desk.number("etablissements") == 197
    assert desk.number("avis") == 197
    items = _failed(desk)
    assert [item["key"] for item in items] == [slice_[n]["siret"] for n in (0, 77, 199)]
    assert {item["code"] for item in items} == {f"sqlstate_{sqlstate}"}
    assert not any("BAD" in item["message"] for item in items)
    batch = desk.one("SELECT * FROM import_batches")
    assert (batch["status"], batch["inserted"], batch["failed"]) == ("complete", 197, 3)
    assert batch["missing_sirets"] == [item["key"] for item in items]


def test_a_value_that_its_column_cannot_hold_is_found_in_the_copy(
    desk: Desk, records: Records
) -> None:
    desk.execute("ALTER TABLE etablissements ALTER enseigne1 TYPE varchar(5)")
    result = desk.import_(records.record(1), records.record(2, enseigne="TOO LONG"))
    assert (result.inserted, result.failed) == (1, 1)
    assert _failed(desk)[0]["code"] == "sqlstate_22001"


def test_payloads_of_hidden_records_are_not_kept(desk: Desk, records: Records) -> None:
    hidden = records.record(1, statut="P")
    hidden_unit = records.record(2, unite={"statutDiffusionUniteLegale": "P"})
    opposed, stored_as_partial = records.record(3), records.record(4)
    for record in (hidden, hidden_unit, opposed, stored_as_partial):
        record["dateCreationEtablissement"] = "never"
    desk.execute(
        "INSERT INTO oppositions (siren, reason) VALUES (:siren, 'asked')", siren=opposed["siren"]
    )
    desk.import_(records.record(4, unite={"statutDiffusionUniteLegale": "P"}))
    desk.import_(hidden, hidden_unit, opposed, stored_as_partial)
    assert [item["payload"] for item in _failed(desk)] == [None] * 4


def test_a_failed_item_is_counted_again_and_resolved_by_a_good_record(
    desk: Desk, records: Records
) -> None:
    bad = records.record(1)
    bad["dateCreationEtablissement"] = "never"
    desk.import_(bad)
    desk.import_(bad)
    (item,) = _failed(desk)
    assert (item["attempts"], item["resolved_at"]) == (2, None)
    desk.import_(records.record(1))
    (item,) = _failed(desk)
    assert item["resolved_at"] is not None


def test_an_error_that_blames_no_row_leaves_the_slice_to_be_written_later(
    desk: Desk, records: Records
) -> None:
    batch = desk.batch()
    message = desk.message([records.record()], batch=batch, fetch_id=desk.fetch(batch))
    desk.execute("ALTER TABLE avis RENAME TO away")
    with pytest.raises((DBAPIError, psycopg2.Error)):
        desk.write(message)
    assert desk.sirets() == []
    assert desk.number("slice_receipts") == desk.number("failed_items") == 0
    desk.execute("ALTER TABLE away RENAME TO avis")
    assert desk.write(message).status is SliceStatus.WRITTEN
