"""Invariants 2 and 5: every slice once, every count true, a batch whole before it is complete."""

import datetime as dt
from typing import Any

import psycopg2
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from services.writer.store import SliceStatus
from shared.messages import ContractError
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records

ON_TWO_SHARDS = True


def test_every_recorded_establishment_is_stored(desk: Desk, records: Records) -> None:
    result = desk.import_(*records.recorded, departement=None)
    assert (result.inserted, result.failed) == (33, 0)
    assert desk.sirets() == sorted(record["siret"] for record in records.recorded)
    assert desk.number("unites_legales") == len({r["siren"] for r in records.recorded})


def test_a_message_delivered_twice_writes_once(desk: Desk, records: Records) -> None:
    batch = desk.batch()
    message = desk.message([records.record()], batch=batch, fetch_id=desk.fetch(batch))
    assert desk.write(message).status is SliceStatus.WRITTEN
    before = desk.batch_row(batch)
    assert desk.write(message).status is SliceStatus.ALREADY_WRITTEN
    assert desk.batch_row(batch) == before
    assert (before["received"], before["inserted"]) == (1, 1)


def test_a_slice_of_an_older_get_writes_nothing(desk: Desk, records: Records) -> None:
    batch = desk.batch()
    old = desk.fetch(batch)
    desk.fetch(batch)
    result = desk.write(desk.message([records.record()], batch=batch, fetch_id=old))
    assert result.status is SliceStatus.SUPERSEDED
    assert desk.sirets() == []
    assert desk.number("slice_receipts") == 0


def test_a_page_fetched_again_counts_its_new_slices_only(desk: Desk, records: Records) -> None:
    batch = desk.batch()
    old = desk.fetch(batch, slices=2)
    gone = records.record(9)
    desk.write(desk.message([records.record(1), gone], batch=batch, fetch_id=old))
    new = desk.fetch(batch, slices=2)
    late = desk.message([records.record(2)], batch=batch, fetch_id=old, number=1)
    assert desk.write(late).status is SliceStatus.SUPERSEDED
    assert desk.batch_row(batch)["status"] == "running"
    for number in (0, 1):
        desk.write(
            desk.message([records.record(number + 1)], batch=batch, fetch_id=new, number=number)
        )
    row = desk.batch_row(batch)
    assert (row["status"], row["received"], row["received_distinct"]) == ("complete", 2, 2)
    assert (row["inserted"], row["unchanged"]) == (3, 1)
    assert (row["missing_sirets"], row["surplus_sirets"]) == ([], [gone["siret"]])


def test_a_slice_for_a_page_that_is_not_there_is_superseded(desk: Desk, records: Records) -> None:
    message = desk.message([records.record()], batch=999, fetch_id=1)
    assert desk.write(message).status is SliceStatus.SUPERSEDED


def test_what_is_no_array_of_records_is_rejected(desk: Desk, records: Records) -> None:
    batch = desk.batch()
    message = desk.message([records.record()], batch=batch, fetch_id=desk.fetch(batch))
    for damaged in (message.records[:-5], '{"a": 1}', "[" * 100_000):
        with pytest.raises(ContractError):
            desk.write(type(message)(**{**message.to_wire(), "records": damaged}))
    assert desk.number("slice_receipts") == 0


def test_counters_add_up_to_what_was_received(desk: Desk, records: Records) -> None:
    desk.import_(records.record(1), records.record(2), records.record(3))
    later = dt.datetime(2026, 8, 6, tzinfo=dt.UTC)
    result = desk.import_(
        records.record(1),
        records.record(2, treated="2026-02-01T00:00:00", enseigne="NEUF"),
        records.record(3, treated="2025-01-01T00:00:00", enseigne="VIEUX"),
        records.record(4),
        records.record(4),
        {"siret": "bad"},
        fetched_at=later,
    )
    assert (result.inserted, result.updated, result.unchanged, result.failed) == (1, 1, 3, 1)
    assert result.records == 6


def test_a_batch_is_complete_only_with_all_receipts_of_all_pages(
    desk: Desk, records: Records
) -> None:
    run = desk.run()
    batch = desk.batch(run)
    first = desk.fetch(batch, 1, slices=2, is_last=False)
    one, two = (
        desk.message([records.record(n)], batch=batch, fetch_id=first, number=n) for n in (0, 1)
    )
    assert not desk.write(one).batch_completed
    assert not desk.write(two).batch_completed, "no page says yet that it is the last"
    second = desk.fetch(batch, 2, slices=1, is_last=False)
    third = desk.fetch(batch, 3, slices=1, is_last=True)
    end = desk.message([], batch=batch, fetch_id=third, page=3)
    assert not desk.write(end).batch_completed, "the second page is not written"
    middle = desk.message([records.record(2)], batch=batch, fetch_id=second, page=2)
    assert desk.write(middle).batch_completed
    row = desk.batch_row(batch)
    assert (row["status"], row["received"], row["stored"]) == ("complete", 3, 3)
    assert row["missing_sirets"] == row["surplus_sirets"] == []
    assert desk.one("SELECT status FROM import_runs WHERE id = :id", id=run)["status"] == "complete"


def test_a_run_is_complete_with_its_last_batch(desk: Desk, records: Records) -> None:
    run = desk.run()
    batches = [desk.batch(run, number=number, departement=None) for number in (1, 2)]
    for number, batch in enumerate(batches):
        assert desk.one("SELECT status FROM import_runs")["status"] == "running"
        fetch_id = desk.fetch(batch)
        desk.write(desk.message([records.record(number)], batch=batch, fetch_id=fetch_id))
    assert desk.one("SELECT status FROM import_runs")["status"] == "complete"


def test_a_run_with_a_failed_batch_fails(desk: Desk, records: Records) -> None:
    run = desk.run()
    failed, whole = (desk.batch(run, number=number) for number in (1, 2))
    desk.execute(
        "UPDATE import_batches SET status = 'failed', error = 'no' WHERE id = :id", id=failed
    )
    fetch_id = desk.fetch(whole)
    desk.write(desk.message([records.record()], batch=whole, fetch_id=fetch_id))
    assert desk.one("SELECT status, error FROM import_runs") == {"status": "failed", "error": "no"}


def test_missing_and_surplus_are_sets_of_siret(desk: Desk, records: Records) -> None:
    gone, elsewhere = records.record(1), records.record(2, commune="75056")
    desk.import_(gone, elsewhere, departement=None)
    good, bad = records.record(3), records.record(4)
    bad["dateCreationEtablissement"] = "never"
    batch = desk.batch(departement="33")
    desk.write(desk.message([good, bad], batch=batch, fetch_id=desk.fetch(batch)))
    row = desk.batch_row(batch)
    assert (row["received_distinct"], row["stored"], row["failed"]) == (2, 1, 1)
    assert row["missing_sirets"] == [bad["siret"]]
    assert row["surplus_sirets"] == [gone["siret"]]


def test_the_window_of_a_commune_is_that_commune(desk: Desk, records: Records) -> None:
    neighbour, other = records.record(1, commune="33318"), records.record(2)
    desk.import_(neighbour, other, departement=None)
    batch = desk.batch(departement=None, code_commune="33063")
    desk.write(desk.message([records.record(3)], batch=batch, fetch_id=desk.fetch(batch)))
    assert desk.batch_row(batch)["surplus_sirets"] == [other["siret"]]


def test_beyond_the_limit_nothing_is_surplus(desk: Desk, records: Records) -> None:
    below, beyond = records.record(1), records.record(9)
    desk.import_(below, beyond)
    batch = desk.batch(row_limit=1)
    desk.write(desk.message([records.record(5)], batch=batch, fetch_id=desk.fetch(batch)))
    assert desk.batch_row(batch)["surplus_sirets"] == [below["siret"]]


@pytest.mark.parametrize(
    ("window", "surplus"),
    [
        ({"activite_principale": "10.71C"}, [1, 3, 4]),
        ({"etat_administratif": "F"}, [2, 3]),
        ({"activite_principale": "10.71C", "etat_administratif": "F"}, [3]),
        ({"departement": "33", "etat_administratif": "F"}, [2]),
        ({"siret_from": "00000000200002"}, [2, 3, 4]),
        ({"siret_from": "00000000200002", "siret_to": "00000000300003"}, [2, 3]),
        ({"siret_from": "00000000000000", "siret_to": "99999999999999"}, [1, 2, 3, 4]),
        ({"sirets": ["00000000300003", "00000000900009", "99999999999999"]}, [3]),
        ({}, []),
    ],
    ids=str,
)
def test_surplus_is_only_what_the_window_asked_for(
    desk: Desk, records: Records, window: dict[str, Any], surplus: list[int]
) -> None:
    stored = {
        1: records.record(1),
        2: records.record(2, etat="F", activite="47.11D"),
        3: records.record(3, etat="F", commune="75056"),
        4: records.record(4, commune="75056"),
    }
    desk.import_(*stored.values(), departement=None)
    batch = desk.batch(**{"departement": None, **window})
    received = records.record(9, etat="F")
    desk.write(desk.message([received], batch=batch, fetch_id=desk.fetch(batch)))

    row = desk.batch_row(batch)
    assert row["surplus_sirets"] == [stored[number]["siret"] for number in surplus]
    assert row["missing_sirets"] == []


@pytest.mark.parametrize("shard_urls", [1], indirect=True)
def test_the_number_of_statements_does_not_grow_with_the_slice(
    desk: Desk, records: Records, engine: Engine
) -> None:
    counted: list[str] = []
    desk.import_(records.record(1))  # makes the temporary tables of the connection
    event.listen(engine, "before_cursor_execute", lambda *arguments: counted.append(arguments[2]))
    numbers = []
    for size, start in ((1, 10), (10, 100), (200, 1000)):
        batch = desk.batch(departement=None)
        fetch_id = desk.fetch(batch, slices=2)
        slice_ = [records.record(start + number) for number in range(size)]
        message = desk.message(slice_, batch=batch, fetch_id=fetch_id)
        counted.clear()
        assert desk.write(message).inserted == size
        numbers.append(sum(statement != "DISCARD PLANS" for statement in counted))
    assert set(numbers) == {4}, "besides the COPYs, of which SQLAlchemy knows nothing"


@pytest.mark.parametrize("shard_urls", [1], indirect=True)
def test_new_establishments_of_a_unit_that_stands_take_one_statement_more(
    desk: Desk, records: Records, engine: Engine
) -> None:
    """The unit is held, and not compared over the temporary tables."""
    siren = "000000007"
    desk.import_(records.record(1, siren=siren))
    batch = desk.batch(departement=None)
    slice_ = [records.record(number, siren=siren) for number in (2, 3)]
    message = desk.message(slice_, batch=batch, fetch_id=desk.fetch(batch, slices=2))
    counted: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: counted.append(arguments[2]))
    assert desk.write(message).inserted == 2
    sent = [each for each in counted if not each.startswith(("DISCARD", "PREPARE"))]
    assert len(sent) == 5, sent
    assert desk.number("pro_localisations") == desk.number("avis") == 3


@pytest.mark.parametrize("shard_urls", [1], indirect=True)
def test_a_unit_without_a_date_gets_the_stamp_of_its_new_establishment(
    desk: Desk, records: Records
) -> None:
    siren = "000000007"
    undated = {"dateDernierTraitementUniteLegale": None}
    desk.import_(records.record(1, siren=siren, unite=undated))
    later = dt.datetime(2026, 8, 7, tzinfo=dt.UTC)
    desk.import_(records.record(2, siren=siren, unite=undated), fetched_at=later)
    assert desk.one("SELECT fetched_at FROM unites_legales")["fetched_at"] == later


@pytest.mark.parametrize("shard_urls", [1], indirect=True)
@pytest.mark.parametrize("size", [1, 200])
def test_an_unchanged_slice_takes_three_statements(
    desk: Desk, records: Records, engine: Engine, size: int
) -> None:
    """A slice costs its receipt, one comparison, and the counters of INSEE page and batch."""
    slice_ = [records.record(number) for number in range(size)]
    desk.import_(*slice_)
    batch = desk.batch()
    message = desk.message(slice_, batch=batch, fetch_id=desk.fetch(batch, slices=2))
    counted: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: counted.append(arguments[2]))
    assert desk.write(message).unchanged == size
    assert len([each for each in counted if each != "DISCARD PLANS"]) == 3, counted


@pytest.mark.parametrize("shard_urls", [1], indirect=True)
def test_where_only_stamps_are_old_those_alone_are_written(
    desk: Desk, records: Records, engine: Engine
) -> None:
    """The stamp is the version of a row without a date: two statements more, not the long way."""
    slice_ = [
        records.record(number, treated=None if number % 2 else "2026-01-01") for number in range(9)
    ]
    desk.import_(*slice_)
    batch = desk.batch()
    later = dt.datetime(2026, 8, 7, tzinfo=dt.UTC)
    fetch_id = desk.fetch(batch, slices=2)
    message = desk.message(slice_, batch=batch, fetch_id=fetch_id, fetched_at=later)
    counted: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: counted.append(arguments[2]))
    assert desk.write(message).unchanged == 9
    sent = [each for each in counted if not each.startswith(("DISCARD", "PREPARE"))]
    assert len(sent) == 5, sent
    for table in ("unites_legales", "etablissements"):
        rows = desk.execute(f"SELECT siren, fetched_at FROM {table}")
        assert {int(row["siren"]) for row in rows if row["fetched_at"] == later} == {1, 3, 5, 7}


def test_an_unchanged_slice_writes_no_row(desk: Desk, records: Records) -> None:
    slice_ = [records.record(number) for number in range(50)]
    desk.import_(*slice_)
    query = "SELECT siret, xmin::text, ctid::text FROM etablissements ORDER BY siret"
    before = desk.execute(query)
    result = desk.import_(*slice_, fetched_at=dt.datetime(2026, 8, 7, tzinfo=dt.UTC))
    assert result.unchanged == 50
    assert desk.execute(query) == before


def test_an_unchanged_row_costs_next_to_no_wal(desk: Desk, records: Records) -> None:
    """The limit covers tables and catalog (the temporary tables); a changed row costs 900."""
    slice_ = [records.record(number) for number in range(200)]
    desk.import_(*slice_)
    position = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS bytes"
    costs = []
    for day in (7, 8, 9):  # a checkpoint or the autovacuum may fall into one of them
        batch = desk.batch()
        message = desk.message(
            slice_,
            batch=batch,
            fetch_id=desk.fetch(batch),
            fetched_at=dt.datetime(2026, 8, day, tzinfo=dt.UTC),
        )
        before = desk.one(position)["bytes"]
        assert desk.write(message).unchanged == 200
        costs.append((desk.one(position)["bytes"] - before) / 200)
    assert min(costs) < 100


def test_a_new_connection_gets_its_own_temporary_tables(desk: Desk, records: Records) -> None:
    assert desk.import_(records.record(1)).inserted == 1
    desk.execute("""
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
    """)
    desk.engine.dispose()
    assert desk.import_(records.record(2)).inserted == 1
    with desk.engine.connect() as connection:
        connection.invalidate()
    assert desk.import_(records.record(3)).inserted == 1


def test_a_slice_that_fails_at_first_leaves_the_next_one_its_tables(
    desk: Desk, records: Records
) -> None:
    """The tables of a connection are made before the transaction that may be undone."""
    desk.execute("ALTER TABLE avis RENAME TO away")
    with pytest.raises((DBAPIError, psycopg2.Error)):
        desk.import_(records.record(1))
    desk.execute("ALTER TABLE away RENAME TO avis")
    assert desk.import_(records.record(1)).inserted == 1
