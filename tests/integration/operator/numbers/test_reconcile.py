"""Counters are compared with rows, batch by batch and as a whole."""

import json
from typing import Any

import pytest

from tests.integration.commands import Sirenade
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.integration.writer.trade_sums import kept, real

ON_TWO_SHARDS = True


@pytest.fixture
def imported(desk: Desk, records: Records) -> list[int]:
    """Import a bad row, an update and a superseded slice in two batches; a third one runs."""
    run = desk.run()
    first = desk.batch(run, number=1)
    superseded = desk.fetch(first, slices=2)
    desk.write(desk.message([records.record(1)], batch=first, fetch_id=superseded))
    fetch = desk.fetch(first, slices=2)
    slices = [
        [records.record(1), records.record(2)],
        [records.record(3), records.record(4, treated="no date at all")],
    ]
    for number, slice_ in enumerate(slices):
        desk.write(desk.message(slice_, batch=first, fetch_id=fetch, number=number))
    second = desk.batch(run, number=2)
    fetch = desk.fetch(second)
    renamed = records.record(2, treated="2026-02-01T00:00:00", enseigne="AUTRE")
    desk.write(desk.message([renamed], batch=second, fetch_id=fetch))
    running = desk.batch(run, number=3)
    fetch = desk.fetch(running, slices=2)
    desk.write(desk.message([records.record(5)], batch=running, fetch_id=fetch))
    assert desk.batch_row(first)["status"] == desk.batch_row(second)["status"] == "complete"
    return [first, second, running]


def _reconcile(sirenade: Sirenade) -> tuple[int, dict[str, Any]]:
    answer = sirenade("reconcile", "--json")
    return answer.status, json.loads(answer.out)


def _by_name(found: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {each["counter"]: (each["counted"], each["real"]) for each in found["totals"]}


def test_a_register_without_an_import_agrees(sirenade: Sirenade) -> None:
    answer = sirenade("reconcile")
    assert answer.status == 0
    assert "zero difference, 0 batches compared" in answer.out


def test_what_was_imported_agrees_while_a_batch_still_runs(
    sirenade: Sirenade, desk: Desk, imported: list[int]
) -> None:
    status, found = _reconcile(sirenade)
    assert status == 0
    assert found["agrees"] is True
    assert found["batches"] == len(imported)
    assert found["differing"] == []
    slices = 4 * len(desk.shards)
    assert _by_name(found) == {
        "received": (6, 6),
        "outcomes": (7, 7),
        "slices_done": (slices, slices),
        "received_distinct": (5, 5),
        "stored": (4, 4),
        "missing": (1, 1),
        "inserted": (4, 4),
        "trades": (4, 4),
    }
    assert "zero difference" in sirenade("reconcile").out


def test_a_row_that_a_retry_stored_since_is_no_difference(
    sirenade: Sirenade, desk: Desk, records: Records, imported: list[int]
) -> None:
    assert desk.batch_row(imported[0])["missing_sirets"] == [records.record(4)["siret"]]
    desk.import_(records.record(4), departement=None)
    status, found = _reconcile(sirenade)
    assert (status, found["differing"]) == (0, [])


def test_a_row_that_was_lost_and_repaired_is_no_difference(
    sirenade: Sirenade, desk: Desk, records: Records, imported: list[int]
) -> None:
    assert imported
    lost = records.record(3)
    desk.execute("DELETE FROM periodes_etablissements WHERE siret = :siret", siret=lost["siret"])
    desk.execute("DELETE FROM etablissements WHERE siret = :siret", siret=lost["siret"])
    assert _reconcile(sirenade)[0] == 1
    desk.import_(lost, departement=None, sirets=[lost["siret"]])
    assert "zero difference" in sirenade("reconcile").out
    desk.execute("DELETE FROM etablissements WHERE siret = :siret", siret=lost["siret"])
    assert _reconcile(sirenade)[0] == 1


@pytest.mark.parametrize(
    ("statement", "counters"),
    [
        ("UPDATE import_batches SET received = received + 1 WHERE id = :id", {"received"}),
        ("UPDATE import_batches SET unchanged = unchanged + 1 WHERE id = :id", {"outcomes"}),
        (
            "UPDATE import_pages SET slices_done = slices_done - 1 WHERE batch_id = :id",
            {"slices_done"},
        ),
        (
            "UPDATE import_batches SET received_distinct = 9 WHERE id = :id",
            {"received_distinct"},
        ),
        ("UPDATE import_batches SET missing_sirets = '{}' WHERE id = :id", {"missing"}),
        (
            """
            DELETE FROM etablissements WHERE siret = (
              SELECT min(s) FROM slice_receipts, unnest(sirets) s WHERE batch_id = :id)
            """,
            {"stored", "missing"},
        ),
        (
            "DELETE FROM slice_receipts WHERE batch_id = :id AND slice = 0 AND fetch_id = 2",
            {"received", "outcomes", "slices_done", "received_distinct", "stored"},
        ),
    ],
)
def test_a_counter_that_is_wrong_is_named_with_its_batch(
    statement: str,
    counters: set[str],
    sirenade: Sirenade,
    desk: Desk,
    imported: list[int],
) -> None:
    desk.execute(statement, id=imported[0])
    status, found = _reconcile(sirenade)
    assert status == 1
    assert found["agrees"] is False
    mine = [each for each in found["differing"] if each["batch"] == imported[0]]
    assert {each["counter"] for each in mine} == counters
    assert all(each["difference"] == each["counted"] - each["real"] for each in mine)
    assert "the counters are wrong" in sirenade("reconcile").out


def test_a_row_that_no_batch_brought_is_a_difference_of_the_whole(
    sirenade: Sirenade, desk: Desk, imported: list[int]
) -> None:
    desk.execute("UPDATE import_batches SET inserted = inserted - 1, updated = updated + 1")
    status, found = _reconcile(sirenade)
    assert (status, found["differing"]) == (1, [])
    counted, real = _by_name(found)["inserted"]
    assert real - counted == len(imported)


def test_rows_of_a_stock_file_are_no_difference_and_those_that_nothing_brought_are(
    sirenade: Sirenade, desk: Desk, records: Records, imported: list[int]
) -> None:
    assert imported
    desk.execute(
        """
        INSERT INTO stock_loads (collection, file_name, file_identity, file_date, fetched_at,
          chunk_rows, way, status, inserted)
        VALUES ('etablissements', 'f', 'i', '2026-08-01', now(), 1, 'merge', 'complete', 2),
          ('unites_legales', 'u', 'i', '2026-08-01', now(), 1, 'merge', 'complete', 7)
        """
    )
    for number in (7, 8):
        desk.execute(
            """
            INSERT INTO etablissements (siret, siren, nic, statut_diffusion, content_hash,
              fetched_at)
            VALUES (:siret, left(:siret, 9), right(:siret, 5), 'O', '', now())
            """,
            siret=records.record(number)["siret"],
        )
    status, found = _reconcile(sirenade)
    assert (status, _by_name(found)["inserted"]) == (0, (6, 6))

    desk.execute(
        "DELETE FROM etablissements WHERE siret = :siret", siret=records.record(7)["siret"]
    )
    status, found = _reconcile(sirenade)
    assert (status, _by_name(found)["inserted"]) == (1, (6, 5))


@pytest.mark.usefixtures("imported")
def test_counts_of_trades_that_are_wrong_are_told_and_mended(
    sirenade: Sirenade, desk: Desk
) -> None:
    """A count is right where its sum is, added up or not."""
    before = kept(desk)
    desk.execute(
        "INSERT INTO trade_counts VALUES ('33063', '10.71C', 'NAFRev2', 2, 5),"
        " ('75108', '68.20B', 'NAFRev2', -2 , 0)"
    )
    status, found = _reconcile(sirenade)
    assert (status, found["agrees"]) == (1, False)
    assert found["mended_trades"] == 2 * len(desk.shards)
    assert kept(desk) == before == real(desk)
    status, found = _reconcile(sirenade)
    assert (status, found["agrees"], found["mended_trades"]) == (0, True, 0)
