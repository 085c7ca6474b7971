"""Cost of keeping the index: CPU of a new page, what searches pay meanwhile, bytes, and the lag.

New establishments come as the writer brings them, in slices; the indexer follows the log of page
changes in its own batches.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import Engine

from deploy.local import processes
from deploy.local.folders import PROJECT
from services.portal.index.indexer import clean, follow
from services.portal.search.engine import Search
from services.writer.store import write_slice
from shared.db.engine import make_engine
from shared.messages import RECORDS_PER_SLICE
from tests.benchmarks import slices
from tests.benchmarks.figures import Figures
from tests.benchmarks.portal import cpu
from tests.benchmarks.portal.cpu import percentile
from tests.benchmarks.portal.made_pairs import make_pairs
from tests.benchmarks.portal.register import some_pages
from tests.benchmarks.portal.searched import Searched, site_of
from tests.benchmarks.sizes import pick
from tests.integration.writer.desk import Desk

_PAGES = pick(quick=10_000, normal=100_000, full=1_000_000)
_NEW = pick(quick=3_000, normal=12_000)
_SECONDS = pick(quick=6, normal=40)
_QUERIES = pick(quick=12, normal=36)
# 30 requests a minute bring 500 rows a second: a slice.
_EVERY_SECONDS = 1.0
_LOOKS_A_SECOND = 5
_DAYS = ("2026-08-01T00:00:00+00:00", "2026-08-02T00:00:00+00:00")
_LAG = """
    SELECT coalesce((
      SELECT extract(epoch FROM now() - c.changed_at) FROM page_changes c, search_cursors s
      WHERE s.consumer = 'index' AND (c.xid, c.pro_localisation_id) > (
        CAST(split_part(s.position, '.', 1) AS bigint),
        CAST(split_part(s.position, '.', 2) AS bigint))
      ORDER BY c.xid, c.pro_localisation_id LIMIT 1), 0)
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


site = site_of("benchmark_indexer", pages=_PAGES)


@pytest.fixture
def engine(site: Searched) -> Iterator[Engine]:
    engine = make_engine(site.url, application_name="benchmark", pool_size=1)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def everything() -> Sequence[slices.Record]:
    """Return establishments that no stock file of the benchmark holds, in the order of a walk."""
    return slices.records(_NEW + RECORDS_PER_SLICE * _SECONDS)


def test_the_table_and_its_indexes_take_few_bytes(site: Searched, figures: Figures) -> None:
    rows = site.number("SELECT count(*) FROM search_entries")
    for name, statement, goal in (
        ("table and indexes", "SELECT pg_total_relation_size('search_entries')", "<= 800"),
        ("index of words", "SELECT pg_relation_size('ix_search_entries_terms')", "<= 80"),
        ("lexicon", "SELECT pg_total_relation_size('search_lexemes')", None),
    ):
        each = site.number(statement) / rows
        note = f"{rows:.0f} entries"
        figures.add(f"indexer.{name}", each, unit="bytes/entry", goal=goal, note=note)


def test_a_new_page_costs_little_and_searches_go_on_as_they_were(
    site: Searched, engine: Engine, everything: Sequence[slices.Record], figures: Figures
) -> None:
    pairs = make_pairs(some_pages(site.connection, 20 * _QUERIES), each=_QUERIES // 12, seed=5)
    queries = [partial(site.find, Search(q=pair.query)) for pair in pairs]

    def search_ms() -> float:
        return median(cost.cpu_ms for cost in site.costs(queries))

    _follow_all(site, engine)
    before, meanwhile = search_ms(), []
    desk = Desk(engine)
    messages = slices.messages(desk, everything[:_NEW], size=RECORDS_PER_SLICE, fetched_at=_DAYS[0])
    slices.write(site.url, messages, rows=_NEW, writers=1)
    put = spent_ns = 0
    while (step := _follow(site, engine))[0]:
        put, spent_ns = put + step[0], spent_ns + step[1]
        meanwhile.append(search_ms())
    us = spent_ns / put / 1000
    ratio = max(meanwhile) / before
    note = f"{put} new pages among {_PAGES}; the median of searches {before:.2f} ms before"
    print(f"\nindexer: {us:.0f} CPU µs a page, searches {ratio:.2f} of before; {note}")  # noqa: T201  a benchmark's result
    assert put > _NEW / 3
    figures.add("indexer.new pages", us, unit="CPU µs/page", goal="<= 150", note=note)
    figures.add("indexer.searches meanwhile", ratio, unit="of before", goal="<= 1.3", note=note)


def _follow_all(site: Searched, engine: Engine) -> None:
    while _follow(site, engine)[0]:
        pass


def _follow(site: Searched, engine: Engine) -> tuple[int, int]:
    """Follow a batch of changes and clean; return the entries put and the CPU in nanoseconds."""
    servers = cpu.backends(site.connection)
    server, own = cpu.spent_ns(servers), time.process_time_ns()
    _, put = follow(engine)
    clean(engine)
    return put.put, time.process_time_ns() - own + cpu.spent_ns(servers) - server


def test_the_index_is_seconds_behind_the_register_at_the_quotas_pace(
    site: Searched,
    engine: Engine,
    everything: Sequence[slices.Record],
    tmp_path: Path,
    figures: Figures,
) -> None:
    messages = slices.messages(
        Desk(engine), everything[_NEW:], size=RECORDS_PER_SLICE, fetched_at=_DAYS[1]
    )
    lags = []
    environment = {**os.environ, "SIRENADE_DATABASE_URL": site.url, "SIRENADE_METRICS_PORT": "0"}
    with processes.child(
        [sys.executable, "-m", "services.portal", "index"],
        lambda: not site.number(_LAG) > 1,
        "the indexer does not start",
        log=tmp_path / "indexer.log",
        env=environment,
        cwd=str(PROJECT),
    ):
        begun = time.monotonic()
        for number, message in enumerate(messages, start=1):
            write_slice(engine, message, sole_traders=False)
            while time.monotonic() < begun + number * _EVERY_SECONDS:
                lags.append(site.number(_LAG))
                time.sleep(_EVERY_SECONDS / _LOOKS_A_SECOND)
    p95 = percentile(lags, 0.95)
    note = f"{len(messages)} slices, most {max(lags):.1f} s"
    print(f"\nlag: p95 {p95:.2f} s; {note}")  # noqa: T201  a benchmark's result
    assert max(lags) > 0
    figures.add("indexer.lag, p95", p95, unit="s", goal="<= 5", note=note)
