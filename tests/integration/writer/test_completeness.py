"""A trade is told only where something says that the register is complete for its commune."""

import datetime as dt
import json
from typing import Any

import pytest

from services.writer.trades import add_up
from shared.db.tables.trades import TRADE
from shared.imports.completeness import read_completeness
from shared.imports.scope import Scope
from shared.sirene.context import Trade, size_of
from shared.trades import COUNT_TRADES, FIND_PLACES, trade_of
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records

ON_TWO_SHARDS = True

_NOW = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
_STOCK_ENDS = dt.datetime(2026, 10, 31, 22)  # noqa: DTZ001  as INSEE's own
_OCTOBER, _NOVEMBER = dt.date(2026, 10, 1), dt.date(2026, 11, 1)
_BORDEAUX, _PARIS_8 = "33063", "75108"


def _complete(desk: Desk, now: dt.datetime = _NOW) -> dict[str, dt.date]:
    with desk.engine.connect() as control:
        shards = [shard.connect() for shard in desk.shards]
        try:
            complete = read_completeness(control, now=now, shards=shards)
            months = {code: complete.month_of(code) for code in (_BORDEAUX, _PARIS_8)}
            return {code: month for code, month in months.items() if month is not None}
        finally:
            for shard in shards:
                shard.close()


def _trades(desk: Desk, *sirets: str) -> dict[str, Trade]:
    with desk.engine.connect() as control:
        shards = [shard.connect() for shard in desk.shards]
        try:
            return trade_of(control, sirets, now=_NOW, shards=shards).told
        finally:
            for shard in shards:
                shard.close()


def _load(desk: Desk, collection: str, **values: Any) -> None:
    row = {
        "collection": collection,
        "file_name": "f",
        "file_identity": "i",
        "file_date": dt.date(2026, 11, 1),
        "fetched_at": _NOW,
        "chunk_rows": 50,
        "way": "swap",
        "status": "complete",
        "rows": 1000,
        "treated_until": _STOCK_ENDS,
        "finished_at": _NOW - dt.timedelta(days=20),
        "head_offices": 1000,
    } | values
    names = ", ".join(row)
    places = ", ".join(f":{name}" for name in row)
    desk.execute(f"INSERT INTO stock_loads ({names}) VALUES ({places})", **row)


def _watermark(desk: Desk, until: dt.datetime) -> None:
    desk.execute(
        "INSERT INTO watermarks (collection, treated_until) VALUES (:collection, :until)"
        " ON CONFLICT (collection) DO UPDATE SET treated_until = :until",
        collection="etablissements",
        until=until,
    )


def _loaded(desk: Desk, units: dict[str, Any] | None = None, **values: Any) -> None:
    _load(desk, "unites_legales", **(units or {}))
    _load(desk, "etablissements", **values)
    _watermark(desk, _STOCK_ENDS)


def _delta(desk: Desk, since: dt.datetime, until: dt.datetime) -> None:
    run = desk.run()
    desk.execute(
        "INSERT INTO treatment_windows (run_id, collection, treated_from, treated_until,"
        " settled_at) VALUES (:run, :collection, :since, :until, now())",
        collection="etablissements",
        run=run,
        since=since,
        until=until,
    )
    desk.execute("UPDATE import_runs SET created_at = :at WHERE id = :run", at=_NOW, run=run)
    _watermark(desk, until)


def _certificate(desk: Desk, scope: dict[str, Any], **values: Any) -> None:
    row = {
        "scope": json.dumps(scope),
        "status": "agree",
        "informations_before": _STOCK_ENDS,
        "finished_at": _NOW - dt.timedelta(days=2),
    } | values
    names = ", ".join(row)
    places = ", ".join(f":{name}" for name in row)
    desk.execute(f"INSERT INTO certificates ({names}) VALUES ({places})", **row)


def test_nothing_says_so_of_a_new_register(desk: Desk) -> None:
    assert _complete(desk) == {}


def test_a_whole_stock_load_does_as_of_its_last_treatment(desk: Desk) -> None:
    _loaded(desk)
    assert _complete(desk) == {_BORDEAUX: _OCTOBER, _PARIS_8: _OCTOBER}
    assert _complete(desk, _NOW + dt.timedelta(days=30)) == {}, "nobody keeps it up"


def test_deltas_keep_a_stock_load_up(desk: Desk) -> None:
    _loaded(desk)
    _delta(desk, _STOCK_ENDS - dt.timedelta(days=1), _STOCK_ENDS + dt.timedelta(days=28))
    assert _complete(desk) == {_BORDEAUX: _NOVEMBER, _PARIS_8: _NOVEMBER}


def test_a_watermark_that_a_part_had_set_before_leaves_a_gap(desk: Desk) -> None:
    _loaded(desk)
    _delta(desk, _STOCK_ENDS + dt.timedelta(days=9), _STOCK_ENDS + dt.timedelta(days=28))
    assert _complete(desk) == {}


@pytest.mark.parametrize(
    "values",
    [
        {"forced": True},
        {"head_offices": 990},
        {"head_offices": None},
        {"refused": 1},
        {"status": "staged"},
        {"status": "abandoned"},
        {"units": {"forced": True}},
        {"units": {"status": "refused"}},
        {"units": {"file_date": dt.date(2026, 10, 1)}},
    ],
    ids=str,
)
def test_a_load_that_may_lack_rows_does_not(desk: Desk, values: dict[str, Any]) -> None:
    _loaded(desk, **values)
    assert _complete(desk) == {}


def test_a_record_that_could_not_be_stored_may_be_of_any_commune(
    desk: Desk, records: Records
) -> None:
    _loaded(desk)
    bad = records.record(2, treated="no date at all")
    desk.import_(records.record(1), bad)
    assert _complete(desk) == {}
    desk.import_(records.record(2))
    assert len(_complete(desk)) == 2


@pytest.mark.parametrize(
    ("scope", "complete"),
    [
        ({}, [_BORDEAUX, _PARIS_8]),
        ({"departements": ["33", "24"]}, [_BORDEAUX]),
        ({"communes": [_PARIS_8]}, [_PARIS_8]),
        ({"departements": ["75"], "etat_administratif": "A"}, [_PARIS_8]),
        ({"departements": ["75"], "etat_administratif": "F"}, []),
        ({"departements": ["33"], "activites": ["10.71C"]}, []),
        ({"siret_from": "5"}, []),
        ({"sirets": ["00000000100001"]}, []),
        ({"scopes": [{"departements": ["75"]}, {"communes": [_BORDEAUX]}]}, [_BORDEAUX, _PARIS_8]),
    ],
    ids=str,
)
def test_a_certificate_does_for_the_communes_of_its_scope(
    desk: Desk, scope: dict[str, Any], complete: list[str]
) -> None:
    _certificate(desk, scope)
    assert _complete(desk) == dict.fromkeys(complete, _NOVEMBER)


@pytest.mark.parametrize(
    "values",
    [
        {"status": "differ"},
        {"status": "counts_agree"},
        {"status": "void"},
        {"status": "running", "finished_at": None},
        {"finished_at": _NOW - dt.timedelta(days=60)},
    ],
    ids=str,
)
def test_a_certificate_that_does_not_agree_or_is_old_says_nothing(
    desk: Desk, values: dict[str, Any]
) -> None:
    _certificate(desk, {}, **values)
    assert _complete(desk) == {}


def test_of_a_half_loaded_commune_no_trade_is_told(desk: Desk, records: Records) -> None:
    """An import by activity, or one that ends at a limit, has the trade whole only by chance."""
    sirets = [records.record(number)["siret"] for number in (1, 2)]
    desk.import_(*(records.record(number) for number in (1, 2)), departement="33", row_limit=2)
    assert _trades(desk, *sirets) == {}
    _certificate(desk, {"departements": ["33"], "activites": ["10.71C"]})
    assert _trades(desk, *sirets) == {}
    _certificate(desk, {"departements": ["33"]})
    assert _trades(desk, *sirets).keys() == {*sirets}


def test_a_trade_is_counted_over_all_shards(desk: Desk, records: Records) -> None:
    sent = [records.record(number) for number in range(1, 8)]
    for number, record in enumerate(sent):
        record["trancheEffectifsEtablissement"] = "01" if number < 3 else "NN"
    alone, closed = records.record(8, activite="68.20B"), records.record(9, etat="F")
    desk.import_(*sent, alone, closed)
    _certificate(desk, {})
    found = _trades(desk, *(record["siret"] for record in (*sent, alone, closed)))
    assert {found[record["siret"]] for record in sent} == {
        Trade(etablissements=7, with_employees=3, month=_NOVEMBER)
    }
    trade = found[alone["siret"]]
    assert (trade.etablissements, trade.size) == (1, "alone")
    assert closed["siret"] not in found


@pytest.mark.parametrize("shard_urls", [1], indirect=True)
def test_500_establishments_are_told_their_trade_without_reading_a_whole_table(
    desk: Desk,
) -> None:
    desk.execute("""
        INSERT INTO etablissements (siret, siren, nic, statut_diffusion, etat_administratif,
          code_commune, activite_principale, nomenclature_activite_principale, content_hash,
          fetched_at)
        SELECT lpad(n::text, 14, '0'), lpad((n / 100000)::text, 9, '0'), '00001', 'O', 'A',
          lpad((n % 5000)::text, 5, '0'), lpad((n % 7)::text, 6, '0'), 'NAFRev2', '', now()
        FROM generate_series(1, 30000) AS n
    """)
    with desk.engine.begin() as connection:
        add_up(connection)
    desk.execute("ANALYZE")
    places = [(f"{n % 5000:05d}", f"{n % 7:06d}", "NAFRev2") for n in range(500)]
    asked: dict[str, object] = {
        name: [place[at] for place in places] for at, name in enumerate(TRADE)
    }
    asked["sirets"] = [f"{n:014d}" for n in range(500)]
    for statement in (FIND_PLACES, COUNT_TRADES):
        plan = desk.execute(f"EXPLAIN {statement.text}", **asked)
        assert "Seq Scan" not in "\n".join(row["QUERY PLAN"] for row in plan)


def test_the_class_of_a_count_changes_rarely() -> None:
    numbers = (1, 2, 5, 6, 20, 21, 100, 101, 9999)
    sizes = ["alone", "2-5", "2-5", "6-20", "6-20", "21-100", "21-100", "more", "more"]
    assert [size_of(number) for number in numbers] == sizes


def test_a_scope_without_a_place_holds_every_commune() -> None:
    assert Scope().holds_commune(_PARIS_8)
    assert Scope(departements=("2A",)).holds_commune("2A004")
    assert not Scope(communes=("2A004",)).holds_commune("2B033")
