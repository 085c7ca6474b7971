"""INSEE is down for a day: pages wait longer and longer, cost little, and go on by themselves."""

import subprocess
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text

from services.simulator.gateway.server import RunningServer
from services.simulator.options import Faults, SimulatorOptions
from shared.imports.progress import Progress
from tests.system.conftest import API, ROOT, Insee, Processes, column, wait_for

DEPARTEMENTS = ("33", "24", "40", "47")
ESTABLISHMENTS = 4000
REQUESTS_PER_MINUTE = 300
# The backoff doubles from 2 s and has reached its most, 300 s, by then.
STARTS_OF_A_DAY = 10

_WAITING = """
    SELECT {column} FROM import_pages p JOIN import_batches b ON b.id = p.batch_id
    WHERE b.status = 'running'
      AND (p.slices_expected IS NULL OR p.slices_done < p.slices_expected)
"""


class Outage:
    """A simulator that can be down, and then back at the same address."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.server = self._start(port=0)
        self.insee = Insee(self.server.root)

    def begin(self) -> None:
        self.server.stop()

    def answer_again(self, *, with_errors: bool) -> None:
        self.faults.error_rate = 1.0 if with_errors else 0.0
        self.server = self._start(port=self.server.port)

    def _start(self, *, port: int) -> RunningServer:
        return RunningServer(
            SimulatorOptions(
                port=port,
                establishments=ESTABLISHMENTS,
                departements=DEPARTEMENTS,
                requests_per_minute=REQUESTS_PER_MINUTE,
                faults=self.faults,
            )
        )


@pytest.fixture
def outage() -> Iterator[Outage]:
    outage = Outage()
    yield outage
    outage.server.stop()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_insee_that_is_down_for_a_day_costs_little_and_fails_nothing(
    outage: Outage,
    rabbitmq_url: str,
    make_processes: Callable[..., Processes],
    request_import: Callable[..., None],
    progress: Callable[[], Progress],
    engine: Engine,
) -> None:
    processes = make_processes(
        broker_url=rabbitmq_url,
        insee_url=outage.server.root + API,
        insee_requests_per_minute=REQUESTS_PER_MINUTE,
        insee_rows_per_page=50,
    )
    for name in ("fetcher", "writer"):
        processes.start(name)
    for departement in DEPARTEMENTS[:3]:
        request_import(departement)
    wait_for(lambda: progress().received >= ESTABLISHMENTS // 5, seconds=60, what="some rows")
    wait_for(lambda: statuses(engine, first=3) == ["running"], seconds=60, what="three plans")

    outage.begin()
    request_import(DEPARTEMENTS[3])
    let_a_day_pass(engine)

    # One request for each page and wait; the run that is not planned counts every 30 s.
    failures, planner = requests_that_failed(engine)
    assert failures == sum(waiting(engine, "p.starts"))
    assert planner <= 5
    assert max(waiting(engine, "extract(epoch FROM p.lease_until - now())")) <= 300
    assert statuses(engine, first=3) == ["running"]
    assert column(engine, "SELECT status FROM import_runs WHERE id = 4") == ["pending"]
    assert "INSEE gives no good answer" in status_line(processes)

    outage.answer_again(with_errors=True)
    move_on(engine)
    wait_for(
        lambda: column(engine, "SELECT 1 FROM insee_requests WHERE http_status = 503 LIMIT 1"),
        seconds=30,
        what="an answer 503",
    )
    outage.faults.error_rate = 0.0
    wait_for(lambda: is_over(engine, progress()), seconds=120, what="the end of all runs")

    assert progress().error is None
    assert column(engine, "SELECT DISTINCT status FROM import_runs") == ["complete"]
    assert column(engine, "SELECT code FROM failed_items") == []
    assert column(engine, "SELECT reason FROM dead_letters") == []
    records = [
        record["siret"]
        for departement in DEPARTEMENTS
        for record in outage.insee.every_record(f"codeCommuneEtablissement:{departement}*")
    ]
    assert sorted(column(engine, "SELECT siret FROM etablissements")) == sorted(records)


def statuses(engine: Engine, *, first: int) -> list[str]:
    """The different statuses of the first runs."""
    return column(engine, f"SELECT DISTINCT status FROM import_runs WHERE id <= {first}")


def waiting(engine: Engine, name: str) -> list[float]:
    """A column of every page of a running batch that is not written yet."""
    return [float(value) for value in column(engine, _WAITING.format(column=name))]


def asleep(engine: Engine) -> bool:
    pages = column(
        engine, _WAITING.format(column="p.lease_token IS NULL AND p.lease_until > now()")
    )
    return bool(pages) and all(pages)


def let_a_day_pass(engine: Engine) -> None:
    """Wait in the product's own steps, each shortened to nothing once everybody sleeps."""
    while True:
        wait_for(lambda: asleep(engine), seconds=60, what="every page asleep")
        if min(waiting(engine, "p.starts")) >= STARTS_OF_A_DAY:
            return
        move_on(engine)


def is_over(engine: Engine, progress: Progress) -> bool:
    move_on(engine)
    return progress.runs_open == 0


def move_on(engine: Engine) -> None:
    """Let the waits of sleeping pages, and of the run to be planned, be over."""
    with engine.begin() as connection:
        connection.execute(
            text("""
                UPDATE import_pages SET lease_until = now()
                WHERE lease_token IS NULL AND lease_until > now() AND starts > 0
            """)
        )


def requests_that_failed(engine: Engine) -> tuple[int, int]:
    """Return the requests for pages, and those of the planner."""
    query = "SELECT count(*) FROM insee_requests WHERE http_status = 0 AND page IS {} NULL"
    [pages], [counts] = column(engine, query.format("NOT")), column(engine, query.format(""))
    return pages, counts


def status_line(processes: Processes) -> str:
    shown = subprocess.run(
        [str(ROOT / "sirenade"), "status", "--once"],
        env=processes.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    [line] = shown.stderr.strip().splitlines()
    return line
