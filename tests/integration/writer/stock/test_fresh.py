"""A stock file fills an empty register at once, with the rows that the API would bring."""

import datetime as dt
import re
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, text

from services.simulator.register.registers import GeneratedRegister
from services.writer.stock import store
from services.writer.turns.turns import turn_next
from shared.db import tables
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.integration.writer.stock.conftest import Stock

pytestmark = pytest.mark.usefixtures("left_behind")

_STAMPS = {"content_hash", "fetched_at", "updated_at"}


def _rows(desk: Desk, table: str, key: str, without: set[str]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in row.items() if name not in without}
        for row in desk.execute(f"SELECT * FROM {table} ORDER BY {key}")
    ]


def _everything(desk: Desk) -> dict[str, Any]:
    return {
        "unites_legales": _rows(desk, "unites_legales", "siren", _STAMPS),
        "etablissements": _rows(desk, "etablissements", "siret", _STAMPS),
        "pages": _rows(desk, "pro_localisations", "siret", {"id", "opened_at"}),
        "avis": _rows(
            desk,
            "avis",
            "siret",
            {"id", "pro_localisation_id", "created_at", "updated_at"},
        ),
        "erasures": desk.number("erasures"),
        "failed": desk.number("failed_items"),
    }


def test_a_load_of_each_format_is_what_the_api_would_have_brought(
    desk: Desk, stock: Stock, stock_files: dict[str, list[str]], register: GeneratedRegister
) -> None:
    records = [register.record("siret", n) for n in range(register.size("siret"))]
    desk.import_(*records)
    today = dt.datetime.now(tz=dt.UTC).date()
    while turn_next(desk.engine, on=today, sole_traders=False):
        pass  # the simulator's register has creations after the day of the GET
    by_api = _everything(desk)
    assert len(by_api["etablissements"]) == len(records)
    assert len(by_api["pages"]) > 100
    for files in stock_files.values():
        desk.execute(
            "TRUNCATE unites_legales, etablissements, pro_localisations, avis, stock_loads,"
            " stock_chunks"
        )
        loads = stock.load(*files)
        assert [(load.collection, load.way, load.status) for load in loads] == [
            ("unites_legales", "swap", "complete"),
            ("etablissements", "swap", "complete"),
        ]
        found = _everything(desk)
        for name, rows in by_api.items():
            assert found[name] == rows, name


def test_the_table_that_is_swapped_in_is_the_same_but_for_its_rows(
    desk: Desk, stock: Stock, stock_files: dict[str, list[str]]
) -> None:
    desk.execute("CREATE ROLE stock_reader")
    try:
        desk.execute("GRANT SELECT ON etablissements TO stock_reader")
        before = _shape(desk)
        stock.load(*stock_files["csv"], pages=False)
        assert _shape(desk) == before
        again = stock.load(*stock_files["csv"])
        assert {load.status for load in again} == {"complete"}
    finally:
        desk.execute("DROP OWNED BY stock_reader")
        desk.execute("DROP ROLE stock_reader")


def _shape(desk: Desk) -> list[Any]:
    return [
        desk.execute(statement)
        for statement in (
            """SELECT table_name, column_name, ordinal_position, column_default, is_nullable,
                 data_type FROM information_schema.columns
               WHERE table_name IN ('unites_legales', 'etablissements') ORDER BY 1, 3""",
            """SELECT indexname, indexdef FROM pg_indexes
               WHERE tablename IN ('unites_legales', 'etablissements') ORDER BY 1""",
            """SELECT conrelid::regclass::text, conname, contype FROM pg_constraint
               WHERE conrelid IN ('unites_legales'::regclass, 'etablissements'::regclass)
                 AND contype <> 'n' ORDER BY 1, 2""",
            """SELECT relname, relacl::text, reloptions, relpersistence FROM pg_class
               WHERE relname IN ('unites_legales', 'etablissements') ORDER BY 1""",
        )
    ]


def test_the_columns_of_the_models_are_all_there_after_a_swap(
    desk: Desk, stock: Stock, stock_files: dict[str, list[str]]
) -> None:
    stock.load(*stock_files["csv"], pages=False)
    for table in (tables.unites_legales, tables.etablissements):
        row = desk.execute(f"SELECT * FROM {table.name} LIMIT 1")[0]
        assert list(row) == [column.name for column in table.columns]


def test_readers_see_nothing_or_everything(
    engine: Engine, stock: Stock, stock_files: dict[str, list[str]]
) -> None:
    seen: set[int] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            with engine.begin() as connection:
                seen.add(connection.scalar(text("SELECT count(*) FROM etablissements")) or 0)

    reader = threading.Thread(target=look)
    reader.start()
    try:
        stock.load(*stock_files["csv"], pages=False)
    finally:
        done.set()
        reader.join()
    assert seen <= {0, 400}
    assert 0 in seen


def test_whoever_opposed_or_was_erased_before_stays_hidden(
    desk: Desk, stock: Stock, records: Records
) -> None:
    opposed = records.record(1, enseigne="CHEZ OPPOSE")
    person = {"categorieJuridiqueUniteLegale": "1000", "nomUniteLegale": "DUPONT"}
    erased = records.record(2, treated="2026-01-01T00:00:00", unite=person)
    later = records.record(3, treated="2026-03-01T00:00:00")
    desk.execute("INSERT INTO oppositions (siren, reason) VALUES ('000000001', 'demande')")
    desk.execute("""
        INSERT INTO erasures (siren, date_dernier_traitement, fetched_at, reason) VALUES
          ('000000002', '2026-02-01', now(), 'partial_diffusion'),
          ('000000003', '2026-02-01', '2026-02-01', 'partial_diffusion')
    """)
    stock.load(*stock.write(opposed, erased, later))
    rows = desk.execute("""
        SELECT u.siren, u.statut_diffusion, u.denomination, e.enseigne1
        FROM unites_legales u JOIN etablissements e USING (siren) ORDER BY 1
    """)
    assert [tuple(row.values()) for row in rows] == [
        ("000000001", "O", None, None),
        ("000000002", "P", None, None),
        ("000000003", "O", "ATELIER 000000003", None),
    ]
    assert [
        row["siren"] for row in desk.execute("SELECT siren FROM avis WHERE outcome='pending'")
    ] == ["000000003"]


def test_of_a_key_that_the_file_has_twice_the_newest_row_stays(
    desk: Desk, stock: Stock, records: Records
) -> None:
    etablissements, _ = stock.write(
        records.record(1, enseigne="NEUF", treated="2026-02-01T00:00:00"),
        records.record(1, enseigne="VIEUX", treated="2026-01-01T00:00:00"),
        records.record(2),
    )
    (load,) = stock.load(etablissements)
    assert (load.rows, load.inserted) == (2, 2)
    assert desk.one("SELECT enseigne1 FROM etablissements WHERE siren = '000000001'") == {
        "enseigne1": "NEUF"
    }


def test_one_bad_row_is_refused_alone_and_can_be_retried(
    desk: Desk, stock: Stock, records: Records
) -> None:
    bad = records.record(2, treated="demain")
    nameless = records.record(3)
    nameless["siret"] = "123"
    good = records.record(1)
    paths = stock.write(good, bad, nameless)
    loads = {load.collection: load for load in stock.load(*paths)}
    assert (loads["etablissements"].rows, loads["etablissements"].refused) == (1, 2)
    assert desk.sirets() == [good["siret"]]
    failed = desk.execute("SELECT kind, key, siren, code, payload FROM failed_items")
    assert [tuple(row.values()) for row in failed] == [
        ("write", bad["siret"], bad["siren"], "bad_date", None)
    ]


def test_rows_of_somebody_else_in_the_meantime_make_it_a_merge(
    desk: Desk, stock: Stock, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = stock.write(records.record(1), records.record(2))
    newer = records.record(2, enseigne="API", treated="2026-02-01T00:00:00")
    build = store._prepare

    def build_and_be_late(*arguments: Any) -> None:
        build(*arguments)
        desk.import_(newer)

    monkeypatch.setattr(store, "_prepare", build_and_be_late)
    loads = stock.load(*paths)
    assert [load.status for load in loads] == ["complete", "complete"]
    assert desk.number("etablissements") == 2
    assert desk.one("SELECT enseigne1 FROM etablissements WHERE siren = '000000002'") == {
        "enseigne1": "API"
    }


def test_delta_goes_on_from_the_latest_treatment_in_the_file(
    desk: Desk, stock: Stock, records: Records
) -> None:
    paths = stock.write(
        records.record(1, treated="2026-06-30T12:00:00"),
        records.record(2, treated="2026-01-01T00:00:00"),
    )
    stock.load(*paths)
    assert [
        tuple(row.values())
        for row in desk.execute("SELECT collection, treated_until::text FROM watermarks ORDER BY 1")
    ] == [("etablissements", "2026-06-30 12:00:00"), ("unites_legales", "2026-06-30 12:00:00")]


def test_a_date_after_the_files_own_day_moves_no_watermark(
    desk: Desk, stock: Stock, records: Records
) -> None:
    late = records.record(1, treated="2104-01-01T00:00:00")
    stock.load(*stock.write(late), file_date=dt.date(2026, 8, 1))
    assert desk.number("watermarks") == 0
    paths = stock.write(late, records.record(2, treated="2026-07-20T10:00:00"), name="again-")
    stock.load(*paths, file_date=dt.date(2026, 8, 1))
    assert {
        row["until"] for row in desk.execute("SELECT treated_until::text AS until FROM watermarks")
    } == {"2026-07-20 10:00:00"}


def test_a_typed_parquet_is_the_csv(
    desk: Desk, stock: Stock, stock_files: dict[str, list[str]], tmp_path: Path
) -> None:
    stock.load(*stock_files["csv"])
    by_csv = _everything(desk)
    for kind, retyped in _RETYPED.items():
        desk.execute(
            "TRUNCATE unites_legales, etablissements, pro_localisations, avis, stock_loads,"
            " stock_chunks"
        )
        typed = [_retype(Path(path), tmp_path / kind, retyped) for path in stock_files["parquet"]]
        loads = stock.load(*typed)
        assert [load.refused for load in loads] == [0, 0]
        found = _everything(desk)
        for name, rows in by_csv.items():
            assert found[name] == rows, (kind, name)


_CODES = "siren|siret|nic.*|code(Postal|Cedex).*|categorieJuridique.*|annee.*"
_RETYPED: dict[str, dict[str, pa.DataType]] = {
    "numbers": {_CODES: pa.int64(), ".*": pa.large_string()},
    "doubles": {_CODES + "|nombrePeriodes.*": pa.float64(), "date.*": pa.timestamp("ns")},
    "zones": {"date(Creation|Debut).*": pa.timestamp("us", "Europe/Paris")},
    "dictionaries": {
        "date.*|nombre.*": pa.large_string(),
        ".*": pa.dictionary(pa.int32(), pa.string()),
    },
}


def _retype(source: Path, folder: Path, kinds: dict[str, pa.DataType]) -> str:
    """Write the file with each column's type of the first pattern that its name matches."""
    folder.mkdir(exist_ok=True)
    table = pq.read_table(source)
    for at, name in enumerate(table.schema.names):
        kind = next((k for pattern, k in kinds.items() if re.fullmatch(pattern, name)), None)
        values = table.column(at)
        if kind is None or pa.types.is_boolean(values.type):
            continue
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            values = pc.assume_timezone(values.cast(pa.timestamp("us")), kind.tz)
        elif pa.types.is_string(values.type) and kind in {pa.int64(), pa.float64()}:
            # A masked value is null where a column holds numbers.
            values = pc.if_else(pc.equal(values, "[ND]"), None, values)
        if pa.types.is_dictionary(kind):
            values = values.cast(pa.string()).dictionary_encode()
        else:
            values = values.cast(kind, safe=False)
        table = table.set_column(at, name, values)
    path = folder / source.name
    pq.write_table(table, path)
    return str(path)
