"""Whatever is written, the counts of trades are those of the rows."""

import datetime as dt
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.writer.erasure import oppositions
from services.writer.trades import Trades, add_up
from services.writer.turns.turns import turn_next
from shared.clock import Clock
from tests.conditions import wait_until
from tests.integration.writer.desk import FETCHED_AT, Desk, ShardUrls
from tests.integration.writer.gates import (
    held_gate,
    put_gate,
    put_gate_before_commit,
    start_victim,
    victims,
    waiting,
)
from tests.integration.writer.records import Record, Records, close_ahead
from tests.integration.writer.register import records_of
from tests.integration.writer.trade_sums import kept, real

ON_TWO_SHARDS = True

_BREAD = ("33063", "10.71C", "NAFRev2")
_RECORD = st.fixed_dictionaries(
    {
        "number": st.integers(1, 5),
        "etat": st.sampled_from("AAF"),
        "statut": st.sampled_from("OOP"),
        "commune": st.sampled_from(["33063", "75108", None]),
        "activite": st.sampled_from(["10.71C", "68.20B", None]),
        "treated": st.sampled_from(
            ["2026-01-01T00:00:00", "2026-03-01T00:00:00", "2026-07-01T00:00:00", None]
        ),
        "band": st.sampled_from(["NN", "00", "01", "12", None]),
        "ahead": st.booleans(),
    }
)
_STEP = st.one_of(
    st.tuples(st.just("import"), st.lists(_RECORD, min_size=1, max_size=6)),
    st.tuples(st.just("refresh"), st.lists(_RECORD, min_size=1, max_size=2)),
    st.tuples(st.just("forget"), st.integers(1, 5)),
    st.tuples(st.just("withdraw"), st.integers(1, 5)),
    st.tuples(st.just("turn"), st.none()),
    st.tuples(st.just("add up"), st.none()),
)


def _record(records: Records, drawn: dict[str, Any]) -> Record:
    drawn = dict(drawn)
    band, ahead = drawn.pop("band"), drawn.pop("ahead")
    unite = {"statutDiffusionUniteLegale": drawn["statut"], "categorieJuridiqueUniteLegale": "1000"}
    record = records.record(**drawn, siren=f"{drawn['number'] % 3 + 1:09d}", unite=unite)
    record["trancheEffectifsEtablissement"] = band
    if ahead:
        close_ahead(record)
    return record


def _do(desk: Desk, records: Records, step: tuple[str, Any], fetched_at: dt.datetime) -> None:
    kind, what = step
    if kind in {"import", "refresh"}:
        batch = desk.batch(departement=None)
        sent = [_record(records, drawn) for drawn in what]
        message = desk.message(sent, batch=batch, fetch_id=desk.fetch(batch), fetched_at=fetched_at)
        desk.write(replace(message, refresh=kind == "refresh"), sole_traders=True)
    for shard in desk.shards:
        if kind == "turn":
            turn_next(shard, on=dt.date(2027, 1, 1), sole_traders=True)
        if kind == "add up":
            with shard.begin() as connection:
                add_up(connection)
    siren = f"{what % 3 + 1:09d}" if isinstance(what, int) else ""
    if kind == "forget":
        oppositions.forget(
            desk.home_of({"siret": f"{siren}00001"}), siren, reason="asked", force=True
        )
    if kind == "withdraw":
        oppositions.withdraw(desk.home_of({"siret": f"{siren}00001"}), siren)


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(_STEP, min_size=2, max_size=8))
def test_any_sequence_of_writes_leaves_the_counts_of_the_rows(
    desk: Desk, records: Records, steps: list[tuple[str, Any]]
) -> None:
    desk.execute(
        "TRUNCATE etablissements, periodes_etablissements, unites_legales, erasures, oppositions,"
        " turns, pro_localisations, page_redirects, avis"
    )
    for number, step in enumerate(steps):
        _do(desk, records, step, FETCHED_AT + dt.timedelta(hours=number))
        assert kept(desk) == real(desk), step


def test_a_trade_counts_who_is_open_and_those_with_employees(desk: Desk, records: Records) -> None:
    bands = ["NN", "00", "01", "53", None]
    sent = [records.record(number) for number in range(1, 6)]
    for record, band in zip(sent, bands, strict=True):
        record["trancheEffectifsEtablissement"] = band
    desk.import_(*sent, records.record(6, etat="F"), records.record(7, activite=None))
    assert kept(desk) == {_BREAD: (5, 2)}


def test_masked_and_forgotten_establishments_still_count(desk: Desk, records: Records) -> None:
    masked = {"statutDiffusionUniteLegale": "P", "categorieJuridiqueUniteLegale": "1000"}
    sent = [records.record(1), records.record(2, statut="P", unite=masked), records.record(3)]
    for record in sent:
        record["trancheEffectifsEtablissement"] = "01"
    desk.import_(*sent)
    forgotten = sent[2]["siren"]
    oppositions.forget(desk.home_of(sent[2]), forgotten, reason="asked")
    assert kept(desk) == {_BREAD: (3, 3)}


def test_who_moves_and_changes_activity_counts_there(desk: Desk, records: Records) -> None:
    later = "2026-02-01T00:00:00"
    desk.import_(records.record(1), records.record(2))
    moved = records.record(1, commune="69381", treated=later)
    recoded = records.record(2, activite="68.20B", treated=later)
    desk.import_(moved, recoded)
    assert {key[:2] for key in kept(desk)} == {("69381", "10.71C"), ("33063", "68.20B")}
    assert kept(desk) == real(desk)


def test_a_closing_ahead_counts_from_its_day_on(desk: Desk) -> None:
    fetched_at = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
    desk.import_(*records_of("dates_to_come"), fetched_at=fetched_at, departement=None)
    before = kept(desk)
    assert before == real(desk)
    for shard in desk.shards:
        turn_next(shard, on=dt.date(2027, 1, 1), sole_traders=False)
    assert kept(desk) == real(desk) != before


def test_the_loop_adds_up_and_leaves_the_sum(desk: Desk, records: Records) -> None:
    desk.import_(*(records.record(number) for number in range(1, 9)))
    before = kept(desk)
    trades = Trades(desk.shards, Clock())
    trades.step()
    assert desk.number("trade_count_changes") == 0
    assert kept(desk) == before == real(desk)
    desk.import_(records.record(1, etat="F", treated="2026-02-01T00:00:00"))
    trades.step()
    assert kept(desk) == real(desk) == {_BREAD: (7, real(desk)[_BREAD][1])}


def test_an_unchanged_slice_notes_nothing(desk: Desk, records: Records) -> None:
    for day in (0, 1):
        desk.import_(records.record(1), fetched_at=FETCHED_AT + dt.timedelta(days=day))
    renamed = records.record(1, enseigne="NEUF", treated="2026-02-01T00:00:00")
    desk.import_(renamed, fetched_at=FETCHED_AT + dt.timedelta(days=2))
    assert desk.number("trade_count_changes") == 1


@pytest.mark.parametrize("shard_urls", [1], indirect=True)
def test_two_writers_of_one_trade_do_not_wait_for_each_other(desk: Desk, records: Records) -> None:
    """Each stands before its commit with its own notes of the same trade."""
    put_gate_before_commit(desk)
    with ThreadPoolExecutor(2) as writers:
        with held_gate(desk):
            futures = [writers.submit(desk.import_, records.record(number)) for number in (1, 2)]
            wait_until(lambda: waiting(desk) == 2)
        for future in futures:
            future.result(30)
    assert kept(desk)[_BREAD][0] == 2
    assert kept(desk) == real(desk)


def test_a_writer_killed_before_its_commit_leaves_no_count(
    desk: Desk, records: Records, shard_urls: ShardUrls
) -> None:
    desk.import_(records.record(1))
    before = kept(desk)
    batch = desk.batch()
    sent = [records.record(number) for number in (2, 3)]
    message = desk.message(sent, batch=batch, fetch_id=desk.fetch(batch))
    put_gate(desk, "TRIGGER gate BEFORE UPDATE ON import_batches")
    with held_gate(desk):
        victim = start_victim(shard_urls, desk.parts(message))
        wait_until(lambda: waiting(desk, "victim") == 1)
        victim.send_signal(signal.SIGKILL)
        victim.wait(10)
    wait_until(lambda: victims(desk) == 0)
    assert kept(desk) == before == real(desk)
    desk.write(message)
    assert kept(desk) == real(desk) != before
