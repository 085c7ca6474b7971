"""Contexts over two databases: a trade has members in both, and a register is complete in both."""

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from services.reviewer.contexts.reader import ContextReader
from services.reviewer.contexts.sweep import ContextSweep
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.tables import etablissements
from shared.sirene.context import NO_CONTEXT, Context
from tests.integration.reviewer.conftest import Desk, Register
from tests.integration.reviewer.contexts.conftest import Contexts

_STOCK_FILES = """
    WITH loads AS (
      INSERT INTO stock_loads (collection, file_name, file_identity, file_date, fetched_at,
        chunk_rows, way, status, rows, treated_until, finished_at, head_offices)
      SELECT collection, 'f', 'i', current_date, now(), 50, 'swap', 'complete', 2,
        localtimestamp - interval '1 day', now(), 2
      FROM unnest(ARRAY['unites_legales', 'etablissements']) AS collection
      RETURNING collection, treated_until)
    INSERT INTO watermarks (collection, treated_until)
    SELECT collection, treated_until FROM loads WHERE collection = 'etablissements'
"""

pytestmark = pytest.mark.parametrize("shard_urls", [2], indirect=True)


@pytest.fixture
def registers(engine: Engine, shard_urls: tuple[str, ...]) -> Iterator[list[Register]]:
    second = make_engine(shard_urls[1], application_name="test", pool_size=10)
    yield [Register(engine), Register(second)]
    second.dispose()


def _reader(registers: list[Register]) -> ContextReader:
    return ContextReader(registers[0].engine, [each.engine for each in registers], Clock())


def _context(registers: list[Register], shard: int, avis_id: int) -> Context:
    return _reader(registers).subjects(registers[shard].engine, [avis_id])[avis_id].context


def test_a_trade_is_counted_and_ranked_over_both_shards(
    registers: list[Register], contexts: Contexts
) -> None:
    contexts.certify(communes=["33063"])
    first, second = registers
    [one, *_] = first.add(range(1, 4))
    [other, _] = second.add(range(4, 6))
    for register, number, year in ((first, 1, 2003), (first, 2, 2004), (first, 3, 2005)):
        register.change(etablissements, register.siren(number), date_creation=dt.date(year, 1, 1))
    for number, year in ((4, 2001), (5, 2006)):
        second.change(etablissements, second.siren(number), date_creation=dt.date(year, 1, 1))
    for shard, avis_id, rank in ((0, one, 2), (1, other, 1)):
        trade = _context(registers, shard, avis_id).trade
        assert trade is not None
        assert (trade.etablissements, trade.with_employees, trade.rank) == (5, 5, rank)


def test_a_units_sites_are_those_of_its_shard(
    registers: list[Register], contexts: Contexts
) -> None:
    contexts.certify()
    registers[0].add(range(1, 2))
    [avis_id] = registers[1].add(range(2, 3))
    sites = _context(registers, 1, avis_id).sites
    assert sites is not None
    assert (sites.open, sites.closed, sites.communes) == (1, 0, 1)


def test_a_lost_row_of_one_shard_silences_the_counts_of_both(
    registers: list[Register],
) -> None:
    ids = [register.add(range(number, number + 1)) for number, register in enumerate(registers, 1)]
    registers[0].execute(_STOCK_FILES)
    for shard, [avis_id] in enumerate(ids):
        trade = _context(registers, shard, avis_id).trade
        assert trade is not None
        assert trade.etablissements == 2
    registers[1].execute(
        "INSERT INTO failed_items (kind, key, siren, code, message)"
        " VALUES ('write', '00000000900011', '000000009', 'x', 'x')"
    )
    for shard, [avis_id] in enumerate(ids):
        assert _context(registers, shard, avis_id) == NO_CONTEXT


def test_an_opening_in_one_shard_makes_the_texts_of_the_other_due(
    registers: list[Register], contexts: Contexts
) -> None:
    contexts.certify(communes=["33063"])
    first, second = registers
    written = second.add(range(1, 5))
    reader = _reader(registers)
    desk = Desk(second.engine)
    desk.describe = reader.describe
    desk.store(*desk.claim(written))
    first.add(range(5, 7))
    ContextSweep(_reader(registers), Clock(), sole_traders=False).step()
    due = second.rows("SELECT id FROM avis WHERE outcome = 'pending' ORDER BY id")
    assert [row["id"] for row in due] == written
