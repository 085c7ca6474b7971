"""Services as processes over real servers, started and killed by the tests."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import pytest
from sqlalchemy import Engine, text

from deploy.local.simulator import simulator
from shared.db.engine import make_engine
from shared.imports.orders import order_import
from shared.imports.progress import Progress, read_progress
from shared.imports.scope import Scope

ROOT = Path(__file__).parents[2]
API = "/api-sirene/3.11"
T = TypeVar("T")


def wait_for(condition: Callable[[], T], *, seconds: float, what: str) -> T:
    """Return the first truthy value of the condition, or fail saying what did not come."""
    deadline_seconds = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline_seconds:
            pytest.fail(f"after {seconds:g} s still waiting for: {what}")
        time.sleep(0.1)


@dataclass
class Processes:
    """The services' processes, by name; a killed one can be started again."""

    environment: dict[str, str]
    logs: Path
    cwd: Path = ROOT
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start `fetcher-1` and the like."""
        service = name.partition("-")[0]
        command = ["portal", "index"] if service == "indexer" else [service, "run"]
        with (self.logs / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", f"services.{command[0]}", command[1]],
                cwd=self.cwd,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self, name: str) -> None:
        self.running[name].send_signal(signal.SIGKILL)
        self.running[name].wait(timeout=10)

    def terminate(self, name: str, *, seconds: float) -> int:
        self.running[name].terminate()
        return self.running[name].wait(timeout=seconds)

    def log(self, name: str) -> str:
        return (self.logs / f"{name}.log").read_text(errors="replace")

    def kill_all(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait(timeout=10)


@dataclass
class Insee:
    """The simulator as a process of its own."""

    root: str

    def quota(self) -> dict[str, Any]:
        quota: dict[str, Any] = self._get("/__quota")
        return quota

    def every_record(self, query: str) -> list[dict[str, Any]]:
        """Walk a query with a key of our own, so that the services' quota is not touched."""
        records: list[dict[str, Any]] = []
        cursor, next_cursor = "", "*"
        while next_cursor != cursor:
            cursor = next_cursor
            page = self._get(
                f"{API}/siret?" + urlencode({"q": query, "nombre": 1000, "curseur": cursor})
            )
            records += page["etablissements"]
            next_cursor = page["header"]["curseurSuivant"]
        return records

    def play_naf_2025(self, form: str) -> None:
        self._get("/__naf-2025", json.dumps({"form": form}).encode())

    def _get(self, path: str, body: bytes | None = None) -> Any:
        """Ask for the path, or post the body to it."""
        request = urllib.request.Request(  # noqa: S310  # loopback
            self.root + path, data=body, headers={"X-INSEE-Api-Key-Integration": "verifier"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # loopback
            return json.load(answer)


@pytest.fixture
def start_insee(tmp_path: Path) -> Iterator[Callable[..., Insee]]:
    with ExitStack() as running:

        def start(*, establishments: int, requests_per_minute: int) -> Insee:
            insee = simulator(
                tmp_path / "insee",
                establishments=establishments,
                requests_per_minute=requests_per_minute,
            )
            return Insee(running.enter_context(insee).root)

        yield start


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, application_name="test-system")
    yield engine
    engine.dispose()


@pytest.fixture
def make_processes(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Processes]]:
    made = []

    def make(*, broker_url: str, insee_url: str, cwd: Path = ROOT, **settings: object) -> Processes:
        environment = {
            **os.environ,
            "SIRENADE_DATABASE_URL": database_url,
            "SIRENADE_BROKER_URL": broker_url,
            "SIRENADE_INSEE_URL": insee_url,
            "SIRENADE_INSEE_KEY": "the-key-that-no-log-may-hold",
            "SIRENADE_METRICS_PORT": "0",
            # A kill is made good once leases and stalls run out: short here, to wait less.
            "SIRENADE_INSEE_TIMEOUT_SECONDS": "3",
            "SIRENADE_FETCHER_SLOT_PATIENCE_SECONDS": "3",
            "SIRENADE_FETCHER_STALL_SECONDS": "8",
            "SIRENADE_REVIEWER_LEASE_SECONDS": "10",
            "SIRENADE_REVIEWER_STALL_SECONDS": "15",
            **{f"SIRENADE_{name.upper()}": str(value) for name, value in settings.items()},
        }
        processes = Processes(environment, tmp_path, cwd)
        made.append(processes)
        return processes

    yield make
    for processes in made:
        processes.kill_all()


StartServices = Callable[..., tuple[Insee, Processes]]


@pytest.fixture
def start_services(
    start_insee: Callable[..., Insee], make_processes: Callable[..., Processes]
) -> StartServices:
    """Start the simulator, and the named processes that may ask it as often as it answers."""

    def start(
        *names: str,
        broker_url: str,
        establishments: int,
        requests_per_minute: int,
        **settings: object,
    ) -> tuple[Insee, Processes]:
        insee = start_insee(establishments=establishments, requests_per_minute=requests_per_minute)
        processes = make_processes(
            broker_url=broker_url,
            insee_url=insee.root + API,
            insee_requests_per_minute=requests_per_minute,
            **settings,
        )
        for name in names:
            processes.start(name)
        return insee, processes

    return start


@pytest.fixture
def progress(engine: Engine) -> Callable[[], Progress]:
    def read() -> Progress:
        with engine.connect() as connection:
            return read_progress(connection)

    return read


@pytest.fixture
def request_import(engine: Engine) -> Callable[..., None]:
    def request(departement: str, row_limit: int | None = None) -> None:
        with engine.begin() as connection:
            order_import(connection, Scope(departements=[departement]), row_limit=row_limit)

    return request


def wait_for_the_end(progress: Callable[[], Progress], *, seconds: float) -> None:
    wait_for(
        lambda: (now := progress()).runs_open == 0 and now.avis_pending == 0,
        seconds=seconds,
        what="the end of the import and of its texts",
    )


def column(engine: Engine, query: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(query)).scalars())


def is_due(record: dict[str, Any]) -> bool:
    """DESIGN's rule, read off INSEE's own record: open, diffusible, not a sole trader."""
    unite, periode = record["uniteLegale"], record["periodesEtablissement"][0]
    return (
        periode["etatAdministratifEtablissement"] == "A"
        and periode["activitePrincipaleEtablissement"] is not None
        and record["statutDiffusionEtablissement"] == "O"
        and unite["statutDiffusionUniteLegale"] == "O"
        and unite["categorieJuridiqueUniteLegale"] != "1000"
    )


def assert_the_end_state_is_whole(
    engine: Engine, insee: Insee, progress: Progress, *, kills: int, generators: int
) -> None:
    """Compare what is stored with what the simulator has of département 33: sets, not counts.

    `kills`: how often texts in the making were lost; `generators`: how many there were each time.
    """
    records = {
        record["siret"]: record for record in insee.every_record("codeCommuneEtablissement:33*")
    }
    stored = column(engine, "SELECT siret FROM etablissements")
    assert set(stored) == records.keys()
    units = column(engine, "SELECT siren FROM unites_legales")
    assert set(units) == {record["siren"] for record in records.values()}
    assert_counters_are_real(engine, progress, len(records))
    due = {siret for siret, record in records.items() if is_due(record)}
    accepted = column(engine, "SELECT siret FROM avis WHERE outcome = 'accepted'")
    assert sorted(accepted) == sorted(due)
    assert_nothing_paid_twice(engine, at_most=kills * generators)
    assert insee.quota()["http_429"] == 0


def assert_counters_are_real(engine: Engine, progress: Progress, records: int) -> None:
    assert progress.received == records
    assert progress.inserted == records
    assert (progress.expected, progress.missing, progress.failed_rows) == (records, 0, 0)
    [batch] = column(
        engine,
        """SELECT jsonb_build_object('status', status, 'received', received_distinct,
             'stored', stored, 'missing', missing_sirets, 'surplus', surplus_sirets)
           FROM import_batches""",
    )
    assert batch == {
        "status": "complete",
        "received": records,
        "stored": records,
        "missing": [],
        "surplus": [],
    }


def assert_nothing_paid_twice(engine: Engine, *, at_most: int) -> None:
    """At most the texts in the making at a kill are made again; the template's cost no money."""
    [doubled] = column(
        engine,
        """SELECT count(*) FROM (SELECT avis_id FROM avis_attempts WHERE accepted
           GROUP BY avis_id HAVING count(*) > 1) twice""",
    )
    assert doubled <= at_most
