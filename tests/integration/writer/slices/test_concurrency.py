"""Several writers at once, and one that is killed in the middle of its transaction."""

import random
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError

from services.writer import store
from services.writer.store import SliceResult, SliceStatus
from tests.conditions import wait_until
from tests.integration.writer.desk import Desk
from tests.integration.writer.gates import (
    held_gate,
    put_gate,
    put_gate_before_commit,
    start_victim,
    victims,
    waiting,
)
from tests.integration.writer.records import Record, Records

ON_TWO_SHARDS = True


def test_of_two_last_slices_at_once_one_closes_the_batch(desk: Desk, records: Records) -> None:
    batch = desk.batch()
    messages = []
    for page in (1, 2):
        fetch_id = desk.fetch(batch, page, is_last=page == 2)
        messages.append(
            desk.message([records.record(page)], batch=batch, fetch_id=fetch_id, page=page)
        )
    put_gate_before_commit(desk)
    with ThreadPoolExecutor(2) as writers:
        with held_gate(desk):
            futures = [writers.submit(desk.write, message) for message in messages]
            wait_until(lambda: waiting(desk) == 2)
        results: list[SliceResult] = [future.result(30) for future in futures]
    assert sorted(result.batch_completed for result in results) == [False, True]
    row = desk.batch_row(batch)
    assert (row["status"], row["received"], row["received_distinct"]) == ("complete", 2, 2)
    assert (row["stored"], row["missing_sirets"], row["surplus_sirets"]) == (2, [], [])


def test_of_two_last_batches_at_once_one_closes_the_run(desk: Desk, records: Records) -> None:
    run = desk.run()
    messages = []
    for number in (1, 2):
        batch = desk.batch(run, number=number)
        fetch_id = desk.fetch(batch)
        messages.append(desk.message([records.record(number)], batch=batch, fetch_id=fetch_id))
    put_gate_before_commit(desk)
    with ThreadPoolExecutor(2) as writers:
        with held_gate(desk):
            futures = [writers.submit(desk.write, message) for message in messages]
            wait_until(lambda: waiting(desk) == 2)
        for future in futures:
            assert future.result(30).batch_completed
    assert desk.one("SELECT status FROM import_runs")["status"] == "complete"


def test_two_deliveries_of_one_slice_at_once_write_once(desk: Desk, records: Records) -> None:
    batch = desk.batch()
    message = desk.message([records.record()], batch=batch, fetch_id=desk.fetch(batch))
    put_gate_before_commit(desk)
    with ThreadPoolExecutor(2) as writers:
        with held_gate(desk):
            futures = [writers.submit(desk.write, message) for _ in range(2)]
            wait_until(lambda: waiting(desk) == 2)
        statuses = {future.result(30).status for future in futures}
    assert statuses == {SliceStatus.WRITTEN, SliceStatus.ALREADY_WRITTEN}
    assert desk.batch_row(batch)["received"] == 1


def write_behind_each_other(
    desk: Desk, slices: Sequence[Sequence[Record]]
) -> tuple[SliceResult, SliceResult]:
    """Two slices of two batches: the second begins to write before the first commits."""
    messages = [
        desk.message(slice_, batch=batch, fetch_id=desk.fetch(batch))
        for slice_ in slices
        for batch in [desk.batch()]
    ]
    put_gate_before_commit(desk)
    with ThreadPoolExecutor(2) as writers:
        with held_gate(desk):
            first = writers.submit(desk.write, messages[0])
            wait_until(lambda: waiting(desk) == 1)
            second = writers.submit(desk.write, messages[1])
            wait_until(lambda: waiting(desk) == 2)
        return first.result(30), second.result(30)


@pytest.mark.parametrize("later", ["2026-03-01T00:00:00", "2026-01-01T00:00:00"])
def test_a_row_that_another_writer_made_meanwhile_is_compared_with(
    desk: Desk, records: Records, later: str
) -> None:
    """The second slice saw no row of the unit, and would copy it straight into the table."""
    versions = [
        [records.record(treated="2026-02-01T00:00:00")],
        [records.record(treated=later, enseigne="LATER")],
    ]
    first, result = write_behind_each_other(desk, versions)
    assert first.inserted == 1
    newer = later > "2026-02"
    assert (result.inserted, result.updated, result.unchanged) == (0, newer, not newer)
    row = desk.one("SELECT enseigne1 FROM etablissements")
    assert row["enseigne1"] == ("LATER" if newer else None)


@pytest.mark.parametrize("shard_urls", [1], indirect=True)
def test_units_that_another_writer_made_meanwhile_are_compared_with(
    desk: Desk, records: Records
) -> None:
    """Inside a slice a new unit goes straight into its table, also where it is no longer new."""
    slices = [
        [records.record(number, unite={"sigleUniteLegale": sigle}) for number in (1, 2, 3)]
        for sigle in ("FIRST", "SECOND")
    ]
    slices[1] += [records.record(4)]
    first, result = write_behind_each_other(desk, slices)
    assert first.inserted == 3
    assert (result.inserted, result.unchanged, result.failed) == (1, 3, 0)
    sigles = [row["sigle"] for row in desk.execute("SELECT sigle FROM unites_legales ORDER BY 1")]
    assert sigles == ["SECOND", "SECOND", "SECOND", None]
    assert desk.number("pro_localisations") == desk.number("avis") == 4


@pytest.mark.parametrize("shard_urls", [1], indirect=True)
def test_a_unit_that_another_writer_renames_meanwhile_gives_its_new_name(
    desk: Desk, records: Records
) -> None:
    """The second slice found the unit unchanged, and has a new establishment of it."""
    siren = "000000007"
    desk.import_(records.record(1, siren=siren))
    renamed = {"denominationUniteLegale": "RENAMED"}
    slices = [
        [records.record(1, siren=siren, treated="2026-02-01T00:00:00", unite=renamed)],
        [records.record(2, siren=siren)],
    ]
    first, second = write_behind_each_other(desk, slices)
    assert (first.updated, second.inserted) == (1, 1)
    assert [row["nom"] for row in desk.execute("SELECT nom FROM pro_localisations")] == [
        "RENAMED",
        "RENAMED",
    ]


@pytest.mark.parametrize("shard_urls", [1], indirect=True)
def test_a_new_unit_that_two_neighbours_share_costs_neither_a_second_run(
    desk: Desk, records: Records, engine: Engine
) -> None:
    """The second slice waits for the first one's commit, then compares: no unique violation."""
    undone: list[object] = []
    event.listen(engine, "rollback_savepoint", lambda *call: undone.append(call))
    slices = [
        [records.record(1), records.record(2)],
        [records.record(12, siren="000000002"), records.record(3)],
    ]
    first, second = write_behind_each_other(desk, slices)
    assert (first.inserted, second.inserted) == (2, 2)
    assert not undone
    assert desk.number("unites_legales") == 3
    assert desk.number("pro_localisations") == desk.number("avis") == 4


def test_a_page_fetched_again_in_mid_write_undoes_the_old_slice(
    desk: Desk, records: Records
) -> None:
    batch = desk.batch()
    message = desk.message([records.record()], batch=batch, fetch_id=desk.fetch(batch))
    put_gate(desk, "TRIGGER gate BEFORE INSERT ON avis")
    with ThreadPoolExecutor(1) as writer:
        with held_gate(desk):
            future = writer.submit(desk.write, message)
            wait_until(lambda: waiting(desk) == 1)
            desk.fetch(batch)
        assert future.result(30).status is SliceStatus.SUPERSEDED
    assert desk.sirets() == []
    assert desk.batch_row(batch)["received"] == 0


def test_a_page_follows_a_unit_and_an_establishment_that_change_at_once(
    desk: Desk, records: Records
) -> None:
    """The second writer knows the old unit only, and must wait for what the first one writes."""
    desk.import_(records.record(1), departement=None)
    renamed = records.record(1)
    renamed["uniteLegale"] |= {
        "denominationUniteLegale": "RENAMED",
        "dateDernierTraitementUniteLegale": "2026-02-01T00:00:00",
    }
    moved = records.record(1, commune="33318")
    moved["dateDernierTraitementEtablissement"] = "2026-02-01T00:00:00"
    put_gate(desk, "TRIGGER gate BEFORE UPDATE ON avis")
    with ThreadPoolExecutor(2) as writers:
        with held_gate(desk):
            first = writers.submit(desk.import_, renamed)
            wait_until(lambda: waiting(desk) == 1)
            second = writers.submit(desk.import_, moved)
            wait_until(lambda: waiting(desk) == 2)
        first.result(30)
        second.result(30)
    page = desk.one("SELECT nom, code_commune FROM pro_localisations WHERE status = 'open'")
    assert page == {"nom": "RENAMED", "code_commune": "33318"}


def test_four_writers_on_the_same_keys_do_not_deadlock(
    desk: Desk, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each slice changes units and establishments that the others change too, in its own order."""
    monkeypatch.setattr(store, "_ATTEMPTS", 1)
    dice = random.Random(4)
    batch = desk.batch()
    fetch_id = desk.fetch(batch, slices=32)
    messages = []
    for number in range(32):
        slice_ = [
            records.record(
                key,
                siren=f"{key % 30 + 1:09d}",
                enseigne=f"{number}",
                treated=f"2026-01-{dice.randint(1, 28):02d}T00:00:00",
                etat=dice.choice("AAF"),
            )
            for key in dice.sample(range(60), 40)
        ]
        messages.append(desk.message(slice_, batch=batch, fetch_id=fetch_id, number=number))
    with ThreadPoolExecutor(4) as writers:
        results = list(writers.map(desk.write, messages))
    assert {result.status for result in results} == {SliceStatus.WRITTEN}
    assert sum(result.batch_completed for result in results) == 1
    row = desk.batch_row(batch)
    assert row["received"] == 32 * 40
    assert row["inserted"] + row["updated"] + row["unchanged"] == row["received"]
    assert row["inserted"] == desk.number("etablissements")
    open_pages = desk.one("""
        SELECT count(*) AS n FROM etablissements e
        FULL JOIN (SELECT * FROM pro_localisations WHERE status = 'open') p USING (siret)
        WHERE (e.etat_administratif = 'A') IS DISTINCT FROM (p.siret IS NOT NULL)
    """)
    assert open_pages["n"] == 0, "each page is open or closed as its establishment"


def test_a_deadlock_is_retried_in_place(desk: Desk, records: Records) -> None:
    """A transaction locks an establishment before its unit, against the order of the writers."""
    record = records.record(1)
    desk.import_(record)
    changed = records.record(1, treated="2026-02-01T00:00:00", enseigne="NEUF")
    # The first to look for the deadlock gives way: it is the writer.
    desk.execute("""
        DO $$ BEGIN
          EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''2s''', current_database());
        END $$
    """)
    for shard in desk.shards:
        shard.dispose()
    batch = desk.batch()
    message = desk.message([changed], batch=batch, fetch_id=desk.fetch(batch))
    with ThreadPoolExecutor(1) as writer, desk.home_of(record).connect() as rude:
        rude.execute(text("SET LOCAL deadlock_timeout = '60s'"))
        rude.execute(text("SELECT 1 FROM etablissements FOR UPDATE"))
        future = writer.submit(desk.write, message)
        wait_until(lambda: waiting(desk, "tests") == 1)
        rude.execute(text("SELECT 1 FROM unites_legales FOR UPDATE"))
        rude.rollback()
        assert future.result(30).updated == 1
    assert desk.one("SELECT enseigne1 FROM etablissements")["enseigne1"] == "NEUF"


def test_a_lost_connection_fails_the_slice_and_not_the_next_one(
    desk: Desk, records: Records
) -> None:
    batch = desk.batch()
    message = desk.message([records.record()], batch=batch, fetch_id=desk.fetch(batch))
    put_gate(desk, "TRIGGER gate BEFORE INSERT ON avis")
    with ThreadPoolExecutor(1) as writer, held_gate(desk):
        future = writer.submit(desk.write, message)
        wait_until(lambda: waiting(desk, "tests") == 1)
        desk.execute("""
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'
        """)
        with pytest.raises(DBAPIError):
            future.result(30)
    assert desk.number("failed_items") == 0, "no row is to blame"
    assert desk.write(message).batch_completed


def test_a_writer_killed_in_mid_transaction_leaves_nothing_half_written(
    desk: Desk, records: Records, shard_urls: tuple[str, ...]
) -> None:
    batch = desk.batch()
    slice_ = [records.record(number) for number in range(1, 21)]
    message = desk.message(slice_, batch=batch, fetch_id=desk.fetch(batch))
    # At the count of the batch all rows are written, and only the commit is missing.
    put_gate(desk, "TRIGGER gate BEFORE UPDATE ON import_batches")
    with held_gate(desk):
        victim = start_victim(shard_urls, desk.parts(message))
        wait_until(lambda: waiting(desk, "victim") == 1)
        victim.send_signal(signal.SIGKILL)
        victim.wait(10)
    wait_until(lambda: victims(desk) == 0)
    tables = ("unites_legales", "etablissements", "pro_localisations", "avis", "slice_receipts")
    assert [desk.number(table) for table in tables] == [0] * 5
    row = desk.batch_row(batch)
    assert (row["received"], row["status"]) == (0, "running")
    assert desk.write(message).batch_completed
    assert [desk.number(table) for table in tables] == [20, 20, 20, 20, len(shard_urls)]
    assert desk.batch_row(batch)["inserted"] == 20
