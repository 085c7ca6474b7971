"""The register in two databases keeps the same promises with two commits."""

import datetime as dt
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dramatiq
import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from services.operator.numbers.reconcile import reconcile
from services.writer.__main__ import app
from services.writer.dead_letters import archive
from services.writer.store import SliceStatus
from shared import wire
from shared.broker import DeadLetter
from shared.messages import ContractError, WriteSlice
from shared.sharding import BUCKETS, bucket_of
from tests.conditions import wait_until
from tests.integration.writer.desk import Desk
from tests.integration.writer.gates import (
    held_gate,
    put_gate_before_commit,
    start_victim,
    victims,
    waiting,
)
from tests.integration.writer.records import Records
from tests.integration.writer.whole_database import places_of

pytestmark = pytest.mark.parametrize("shard_urls", [2], indirect=True)


def _rows(engine: Engine, query: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(query)).scalars())


def _in_shard(records: Records, desk: Desk, shard: int, number: int) -> list[dict[str, Any]]:
    found = (records.record(n) for n in range(1, 1000))
    return [each for each in found if desk.shard_of(each) == shard][:number]


def _kill_between_the_commits(desk: Desk, message: Any, shard_urls: tuple[str, ...]) -> None:
    """Kill a writer between its commit in the shard and that in the control database."""
    put_gate_before_commit(desk)
    with held_gate(desk):
        victim = start_victim(shard_urls, [message])
        wait_until(lambda: waiting(desk, "victim") == 1)
        victim.send_signal(signal.SIGKILL)
        victim.wait(10)
        # The server learns of it only when it answers, which is after the gate: a commit that
        # was sent would still be made. So its connection is cut as a crash would cut it.
        desk.execute("""
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'victim' AND datname = current_database()
        """)
        wait_until(lambda: victims(desk) == 0)
    desk.execute("DROP TRIGGER gate ON import_batches")


def test_each_unit_is_in_its_shard_and_in_no_other(desk: Desk, records: Records) -> None:
    slice_ = [records.record(n, siren=f"{n % 40 + 1:09d}") for n in range(80)]
    assert desk.import_(*slice_, departement=None).inserted == 80
    for table in ("unites_legales", "etablissements", "pro_localisations", "avis"):
        held = [set(_rows(shard, f"SELECT siren FROM {table}")) for shard in desk.shards]
        assert held[0] | held[1] == {record["siren"] for record in slice_}
        assert not held[0] & held[1], table
        assert all(held)


def test_the_server_counts_buckets_as_the_program_does(desk: Desk) -> None:
    query = "SELECT get_byte(sha256(siren::bytea), 0) % 64 FROM unnest(:sirens) AS siren"
    sirens = [f"{number:09d}" for number in range(1000)]
    with desk.engine.connect() as connection:
        found = connection.execute(text(query), {"sirens": sirens}).scalars().all()
    assert found == [bucket_of(siren) for siren in sirens]
    assert BUCKETS == 64


@pytest.mark.slow
def test_ids_are_unique_over_all_shards(desk: Desk, records: Records) -> None:
    desk.import_(*[records.record(n) for n in range(1, 41)], departement=None)
    for table in ("pro_localisations", "avis"):
        ids = [row["id"] for row in desk.execute(f"SELECT id FROM {table}")]
        assert len(ids) == len(set(ids)) == 40
        assert max(ids) < 2**53


def test_a_slice_of_another_shard_is_refused_and_writes_nothing(
    desk: Desk, records: Records
) -> None:
    """A fetcher with other settings cut the slice: a unit would be in two shards."""
    batch = desk.batch()
    fetch_id = desk.fetch(batch)
    record = records.record(1)
    (home,) = (
        part
        for part in desk.parts(desk.message([record], batch=batch, fetch_id=fetch_id))
        if part.records != "[]"
    )
    for shard in (1 - home.shard, 2):
        wrong = type(home)(**{**home.to_wire(), "shard": shard})
        with pytest.raises(ContractError, match="shard"):
            desk.write_part(wrong)
    assert desk.sirets() == []
    assert desk.number("slice_receipts") == desk.number("shard_receipts") == 0


def test_a_kill_between_the_two_commits_is_repaired_by_the_next_delivery(
    desk: Desk, records: Records, shard_urls: tuple[str, ...]
) -> None:
    slice_ = _in_shard(records, desk, 1, 5)
    slice_[0]["uniteLegale"]["nouvelleCle"] = "1"
    batch = desk.batch()
    message, rest = desk.parts(desk.message(slice_, batch=batch, fetch_id=desk.fetch(batch)))
    _kill_between_the_commits(desk, message, shard_urls)
    assert len(_rows(desk.shards[1], "SELECT siret FROM etablissements")) == 5, "the first commit"
    assert desk.batch_row(batch)["inserted"] == desk.number("slice_receipts") == 0, "no second one"
    assert desk.number("schema_drift") == 0

    result = desk.write_part(message)
    assert desk.number("schema_drift") == 1, "noted by the next delivery"
    assert (result.status, result.inserted, result.unchanged) == (SliceStatus.WRITTEN, 5, 0)
    assert desk.write_part(message).status is SliceStatus.ALREADY_WRITTEN
    assert desk.write_part(rest).batch_completed
    row = desk.batch_row(batch)
    assert (row["received"], row["inserted"], row["unchanged"], row["stored"]) == (5, 5, 0, 5)
    assert _agrees(desk)


def test_what_was_written_before_a_kill_is_counted_though_its_page_was_fetched_again(
    desk: Desk, records: Records, shard_urls: tuple[str, ...]
) -> None:
    slice_ = _in_shard(records, desk, 1, 5)
    batch = desk.batch()
    old, _ = desk.parts(desk.message(slice_, batch=batch, fetch_id=desk.fetch(batch)))
    _kill_between_the_commits(desk, old, shard_urls)
    again = desk.message(slice_, batch=batch, fetch_id=desk.fetch(batch))
    assert desk.write_part(old).status is SliceStatus.SUPERSEDED
    assert desk.write(again).unchanged == 5
    row = desk.batch_row(batch)
    assert (row["status"], row["received"], row["received_distinct"]) == ("complete", 5, 5)
    assert (row["inserted"], row["unchanged"]) == (5, 5)
    assert _agrees(desk)
    assert desk.write_part(old).status is SliceStatus.SUPERSEDED
    assert desk.batch_row(batch) == row


@pytest.mark.slow
def test_a_limit_ends_at_the_last_siret_of_all_shards(desk: Desk, records: Records) -> None:
    """A shard that received less counts too: its rows below the limit that it did not receive."""
    low, high = sorted(
        (_in_shard(records, desk, shard, 9)[-1] for shard in (0, 1)), key=lambda r: r["siret"]
    )
    between = [
        each
        for each in (records.record(n) for n in range(1, 1000))
        if desk.shard_of(each) == desk.shard_of(low)
        and low["siret"] < each["siret"] < high["siret"]
    ] or [low]
    desk.import_(*between, departement=None)
    batch = desk.batch(row_limit=2)
    received = [_in_shard(records, desk, desk.shard_of(low), 1)[0], high]
    desk.write(desk.message(received, batch=batch, fetch_id=desk.fetch(batch)))
    assert desk.batch_row(batch)["surplus_sirets"] == [each["siret"] for each in between]


@pytest.mark.slow
def test_a_shard_that_is_away_leaves_the_slice_to_be_written_later(
    desk: Desk, records: Records
) -> None:
    slice_ = [records.record(n) for n in range(20)]
    batch = desk.batch()
    message = desk.message(slice_, batch=batch, fetch_id=desk.fetch(batch))
    for part in desk.parts(message):
        with desk.shards[1].connect() as connection:
            connection.execute(text("ALTER TABLE avis RENAME TO away"))
            connection.commit()
            if part.shard == 1:
                with pytest.raises(Exception, match="avis"):
                    desk.write_part(part)
            else:
                assert not desk.write_part(part).batch_completed
            connection.execute(text("ALTER TABLE away RENAME TO avis"))
            connection.commit()
    assert desk.write(message).batch_completed
    row = desk.batch_row(batch)
    assert (row["received"], row["inserted"], row["stored"]) == (20, 20, 20)
    later = dt.datetime(2026, 8, 9, tzinfo=dt.UTC)
    assert desk.import_(*slice_, fetched_at=later).unchanged == 20


def _agrees(desk: Desk) -> bool:
    with desk.engine.connect() as control, desk.shards[1].connect() as shard:
        return reconcile(control, [shard]).agrees


@pytest.fixture
def sirenade(shard_urls: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a command of the writer with the settings of both shards."""
    monkeypatch.setenv("SIRENADE_DATABASE_URL", shard_urls[0])
    monkeypatch.setenv("SIRENADE_SHARD_DATABASE_URLS", ",".join(shard_urls))
    return lambda *arguments: CliRunner().invoke(app, arguments)


def _places(desk: Desk, *words: str) -> list[str]:
    return [place for shard in desk.shards for place in places_of(shard, *words)]


def test_a_unit_is_forgotten_where_it_is_and_stays_out(
    desk: Desk, records: Records, sirenade: Callable[..., Any], tmp_path: Path
) -> None:
    number = next(n for n in range(100) if desk.shard_of(records.record(n)) == 1)
    record = records.record(number, enseigne="CHEZ ZORGLUB")
    bad = records.record(number + 1000, siren=record["siren"], enseigne="ZORGLUB", treated="never")
    desk.import_(record, bad)
    assert _places(desk, "zorglub") != []

    assert sirenade("forget", record["siren"], "--force").exit_code == 0
    assert _places(desk, "zorglub") == []
    opposed = [_rows(shard, "SELECT siren FROM oppositions") for shard in desk.shards]
    assert opposed == [[], [record["siren"]]]
    desk.import_(records.record(number, enseigne="ZORGLUB", treated="2026-03-01T00:00:00"))
    assert _places(desk, "zorglub") == []
    erasures = tmp_path / "erasures.jsonl"
    assert sirenade("forget", "--export", str(erasures)).exit_code == 0
    assert record["siren"] in erasures.read_text()
    assert sirenade("forget", "--apply", str(erasures)).exit_code == 0
    assert _places(desk, "zorglub") == []


def test_a_dead_letter_keeps_no_record_where_no_erasure_would_find_it(
    desk: Desk, records: Records
) -> None:
    message = desk.message([records.record(1, enseigne="ZORGLUB")], batch=1, fetch_id=1)
    envelope: dramatiq.Message[Any] = dramatiq.Message(
        message.QUEUE, message.ACTOR, (), message.to_wire(), {}
    )
    for number, body in enumerate((wire.encode(envelope.asdict()), b"ZORGLUB")):
        letter = DeadLetter(message.QUEUE, "rejected", body, message.ACTOR, str(number))
        with desk.engine.begin() as connection:
            archive(connection, letter, with_records=False)
    assert _places(desk, "zorglub") == []
    kept = desk.one("SELECT body FROM dead_letters WHERE message_id = '0'")
    sent = wire.decode(bytes(kept["body"]))["kwargs"]
    with pytest.raises(ContractError):
        desk.write_part(WriteSlice.from_wire(sent))
