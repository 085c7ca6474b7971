"""A unit of very many establishments is renamed, masked and erased in pieces."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine

from services.writer.erasure.oppositions import forget
from services.writer.sql import pieces
from shared.db.engine import make_engine
from tests.integration.writer.desk import FETCHED_AT, Desk
from tests.integration.writer.page_rows import accept
from tests.integration.writer.records import Record, Records
from tests.integration.writer.scene import NATURAL, SIREN, WORDS, Scene
from tests.integration.writer.whole_database import places_of

# A number may be found in a time by chance.
_WORDS = tuple(word for word in WORDS if not word.isdecimal())


@dataclass(frozen=True)
class Size:
    """A number of establishments, those of a piece, and the longest that a statement may take."""

    establishments: int
    rows: int
    seconds: int


_SMALL = Size(50, 7, 60)
# All of them took 8 to 11 seconds, a hundred thousand would have neared the limit of a statement.
_LARGE = Size(20_000, pieces.ROWS, 4)


@pytest.fixture(
    params=[_SMALL, pytest.param(_LARGE, marks=pytest.mark.slow)], ids=["fifty", "twenty_thousand"]
)
def large(
    request: pytest.FixtureRequest,
    database_url: str,
    records: Records,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    """Return a person with as many establishments, each with a page and a text."""
    size: Size = request.param
    monkeypatch.setattr(pieces, "ROWS", size.rows)
    engine = make_engine(
        database_url,
        application_name="tests",
        pool_size=10,
        statement_timeout_seconds=size.seconds,
    )
    scene = Scene(Desk(engine), records, NATURAL)
    scene.desk.import_(scene.clear(1, enseigne=None), sole_traders=True)
    _multiply(engine, size.establishments)
    yield scene
    engine.dispose()


def _multiply(engine: Engine, establishments: int) -> None:
    """Give the unit as many copies of its establishment, as a stock file brings them."""
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for table in ("etablissements", "periodes_etablissements"):
            names = connection.exec_driver_sql(
                "SELECT string_agg(attname, ', ') FROM pg_attribute WHERE attnum > 0"
                f" AND attrelid = '{table}'::regclass AND attname NOT IN ('siret', 'nic')"
            ).scalar_one()
            nic = "lpad(i::text, 5, '0')"
            more, values = ("nic, ", f"{nic}, ") if table == "etablissements" else ("", "")
            connection.exec_driver_sql(
                f"INSERT INTO {table} (siret, {more}{names}) SELECT '{SIREN}' || {nic}, {values}"
                f"{names} FROM {table}, generate_series(2, {establishments}) i"
            )
            connection.exec_driver_sql(f"ANALYZE {table}")


def _import(scene: Scene, record: Record, *, hours: int) -> None:
    later = FETCHED_AT + dt.timedelta(hours=hours)
    scene.desk.import_(record, fetched_at=later, sole_traders=True)


def _renamed(scene: Scene) -> Record:
    record = scene.clear(1, enseigne=None, treated="2026-01-02T00:00:00")
    record["uniteLegale"]["prenomUsuelUniteLegale"] = "HERMIONE"
    return record


def _rename(scene: Scene) -> None:
    _import(scene, _renamed(scene), hours=1)
    accept(scene.desk, "Hermeline Zorglub est une boulangère zinzoline.")


def test_all_pages_of_a_renamed_unit_are_renewed(large: Scene) -> None:
    _rename(large)
    named = "SELECT count(*) AS n FROM pro_localisations WHERE siren = :siren"
    everywhere = large.desk.one(
        "SELECT count(*) AS n FROM etablissements WHERE siren = :siren", siren=SIREN
    )
    assert large.desk.one(named, siren=SIREN) == everywhere
    record = _renamed(large)
    record["dateDernierTraitementEtablissement"] = "2026-01-03T00:00:00"
    record["uniteLegale"] |= {
        "nomUniteLegale": "HERMELINE",
        "dateDernierTraitementUniteLegale": "2026-01-03T00:00:00",
    }
    _import(large, record, hours=2)
    facts = "SELECT count(DISTINCT facts_hash) AS n, count(*) AS all FROM avis"
    found = large.desk.one(facts)
    assert found["all"] == everywhere["n"]
    texts = large.desk.one("SELECT count(*) AS n FROM avis WHERE outcome = 'accepted'")
    assert texts == {"n": 0}, "each text is due again"


def test_a_masked_unit_is_in_no_column_any_more(large: Scene) -> None:
    _rename(large)
    _import(large, large.masked(1), hours=2)
    assert places_of(large.desk.engine, *_WORDS) == []
    tombstones = large.desk.execute("SELECT siren, siret FROM erasures WHERE siret IS NULL")
    assert tombstones == [{"siren": SIREN, "siret": None}]


def test_a_unit_that_objects_is_in_no_column_any_more(large: Scene) -> None:
    _rename(large)
    forgotten = forget(large.desk.engine, SIREN, reason="asked")
    establishments = large.desk.number("etablissements")
    assert forgotten.erased["etablissements"] == forgotten.erased["avis"] == establishments
    assert places_of(large.desk.engine, *_WORDS) == []
