"""Fetcher processes use nearly all of the quota; the server counts what it sees.

Three cells of three minutes each (in one minute at 30, one slot is 0.033); FULL=1: all nine, five
minutes each. SIRENADE_BENCH_MINUTES is another length.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, text

from deploy.local.postgres import RunningPostgres, start_postgres
from shared.db.migrate import upgrade
from shared.imports.progress import Progress
from tests.benchmarks.figures import Figures
from tests.benchmarks.sizes import pick
from tests.system import conftest as system
from tests.system.conftest import Insee, StartServices, wait_for

MINUTES = float(os.environ.get("SIRENADE_BENCH_MINUTES", pick(quick="0.25", normal="3", full="5")))
# Fetchers and requests a minute.
CELLS = pick(
    quick=[(3, 500)],
    normal=[(1, 30), (3, 100), (8, 500)],
    full=[(fetchers, rate) for fetchers in (1, 3, 8) for rate in (30, 100, 500)],
)
# Few enough that the writer is not what is measured, at the highest rate too.
ROWS_PER_PAGE = 100
# More than the fastest cell can fetch, and cut into as many walks as may run side by side.
ESTABLISHMENTS = 300_000
DEPARTEMENT = pick(quick=20_000, normal=100_000)

start_insee = system.start_insee
make_processes = system.make_processes
start_services = system.start_services
request_import = system.request_import
progress = system.progress
engine = system.engine

_SLOTS = text("""
    SELECT count(*) FROM insee_requests
    WHERE granted_at >= :since AND granted_at < :since + make_interval(secs => :seconds)
""")


@dataclass(frozen=True)
class Cell:
    processes: int
    per_minute: int
    requests: int
    http_429: int
    most_in_60_seconds: int
    slot_use: float
    page_fill: float
    load: float
    """The whole machine's: above its cores, the measured process waits for others."""

    def __str__(self) -> str:
        return (
            f"{self.processes:>9} {self.per_minute:>10} {self.requests:>8} {self.http_429:>4} "
            f"{self.most_in_60_seconds:>12} {self.slot_use:>8.4f} "
            f"{self.page_fill:>9.4f} {self.load:>5.1f}"
        )


@pytest.fixture(scope="module")
def cells() -> Iterator[list[Cell]]:
    cells: list[Cell] = []
    yield cells
    print(  # noqa: T201  a benchmark's result
        f"\n{MINUTES:g} min a cell, {ROWS_PER_PAGE} rows a page\n"
        "processes per minute requests  429 most in 60 s slot use page fill  load"
    )
    for cell in cells:
        print(cell)  # noqa: T201  a benchmark's result


@pytest.fixture(scope="module")
def durable_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPostgres]:
    """Every slot is committed to the disk, as in production."""
    directory = tmp_path_factory.mktemp("durable")
    running = start_postgres(directory, name="benchmark", end_with_parent=True)
    yield running
    running.kill()


@pytest.fixture
def database_url(durable_postgres: RunningPostgres, request: pytest.FixtureRequest) -> str:
    url = durable_postgres.create_database(request.node.name)
    upgrade(url)
    return url


@pytest.fixture
def start(
    rabbitmq_url: str, start_services: StartServices, request_import: Callable[..., None]
) -> Callable[..., Insee]:
    """Begin an import of the département by `fetchers` processes and a writer."""

    def start(
        *, fetchers: int, establishments: int, per_minute: int, rows_per_page: int, **settings: int
    ) -> Insee:
        insee, _ = start_services(
            *(f"fetcher-{number}" for number in range(fetchers)),
            "writer",
            broker_url=rabbitmq_url,
            establishments=establishments,
            requests_per_minute=per_minute,
            insee_rows_per_page=rows_per_page,
            # The product's own: those of the system tests are for kills.
            insee_timeout_seconds=30,
            fetcher_slot_patience_seconds=30,
            fetcher_stall_seconds=60,
            **settings,
        )
        request_import("33")
        return insee

    return start


@pytest.mark.slow
@pytest.mark.timeout(60 * MINUTES + 240)
@pytest.mark.parametrize(("fetchers", "per_minute"), CELLS)
def test_fetchers_use_the_quota_and_no_more(
    fetchers: int,
    per_minute: int,
    start: Callable[..., Insee],
    progress: Callable[[], Progress],
    engine: Engine,
    cells: list[Cell],
    figures: Figures,
) -> None:
    insee = start(
        fetchers=fetchers,
        establishments=ESTABLISHMENTS,
        per_minute=per_minute,
        rows_per_page=ROWS_PER_PAGE,
        # A writer that shares a busy machine may fall behind: it is not what is measured.
        fetcher_max_slices_ready=8000,
    )
    # The simulator's time to count, and to make the records of each walk's first pages, is not
    # the fetcher's.
    wait_for(lambda: progress().received >= 20 * ROWS_PER_PAGE, seconds=180, what="20 pages")
    window = {"since": progress().at, "seconds": 60 * MINUTES}
    time.sleep(60 * MINUTES)  # what is measured is this time
    seen = insee.quota()
    with engine.connect() as connection:
        slots = connection.execute(_SLOTS, window).scalar_one()
    reading = progress()
    rows_asked = ROWS_PER_PAGE * reading.requests
    cell = Cell(
        processes=fetchers,
        per_minute=per_minute,
        requests=seen["requests"],
        http_429=seen["http_429"],
        most_in_60_seconds=seen["most_requests_in_60_seconds"],
        slot_use=slots / (per_minute * MINUTES),
        page_fill=reading.received / rows_asked,
        load=os.getloadavg()[1],
    )
    cells.append(cell)
    print(f"\n{cell}", flush=True)  # noqa: T201  a benchmark's result
    of = f"quota.slot use, {fetchers} × fetcher at {per_minute}/min"
    note = f"{MINUTES:g} min; {len(CELLS)} of 9 cells run"
    figures.add(of, cell.slot_use, unit="of the quota", goal=">= 0.97", note=note)
    assert cell.http_429 == 0
    assert cell.most_in_60_seconds <= per_minute


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_pages_of_a_departement_are_full(
    start: Callable[..., Insee], progress: Callable[[], Progress], figures: Figures
) -> None:
    insee = start(fetchers=1, establishments=DEPARTEMENT, per_minute=500, rows_per_page=1000)

    wait_for(lambda: progress().complete == 1, seconds=500, what="the whole département")

    reading, seen = progress(), insee.quota()
    page_fill = reading.received / (1000 * seen["requests"])
    print(  # noqa: T201  a benchmark's result
        f"\n{reading.received} rows in {seen['requests']} requests, page fill {page_fill:.4f}"
    )
    figures.add(
        "quota.page fill",
        page_fill,
        unit="of 1 000 rows a request",
        goal=">= 0.97",
        note=f"{DEPARTEMENT} rows, to the end of every walk",
    )
    assert seen["http_429"] == 0
    assert reading.received == DEPARTEMENT
