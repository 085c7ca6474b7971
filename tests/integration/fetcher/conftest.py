"""A simulator and a fetcher over a real database; an outbox replaces the queues."""

import functools
import json
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Engine, text

from services.fetcher.insee.client import KEY_HEADER, InseeClient
from services.fetcher.insee.ledger import Sender
from services.fetcher.insee.patient_client import Inquirer
from services.fetcher.insee.quota import Quota
from services.fetcher.loops import Planner, Sweeper
from services.fetcher.plan.windows import MOST_ROWS_UNCUT
from services.fetcher.store import ImportStore
from services.fetcher.walk.store import PageStore
from services.fetcher.walk.walker import Walker
from services.simulator.gateway.server import RunningServer
from services.simulator.options import SimulatorOptions
from shared.clock import Clock
from shared.imports.orders import order_import
from shared.imports.scope import Scope
from shared.messages import FetchPage, WriteSlice
from shared.metrics import Metrics

API = "/api-sirene/3.11"


@dataclass
class Insee:
    """A running simulator, with the calls that change it."""

    url: str

    def quota(self) -> dict[str, Any]:
        return self._ask("/__quota")

    def set_faults(self, **faults: object) -> None:
        self._ask("/__faults", json.dumps(faults).encode())

    def treat(self, identifier: str, at: str, **values: object) -> None:
        """Change an establishment or a unit, and set the date of its treatment."""
        kind = "siret" if len(identifier) == 14 else "siren"
        date = {"siret": "dateDernierTraitementEtablissement"}.get(
            kind, "dateDernierTraitementUniteLegale"
        )
        change = {kind: identifier, "set": {**values, date: at}}
        self._ask("/__updates", json.dumps(change).encode())

    def publish(self, **values: str) -> None:
        """Set the `day` or the `etat` in /informations, for one `collection` or for all."""
        self._ask("/__publication", json.dumps(values).encode())

    def sirets(self, query: str) -> set[str]:
        """Return the sirets that a query finds, at most 1000."""
        parameters = urllib.parse.urlencode({"q": query, "nombre": 1000})
        found = self._ask(f"{API}/siret?{parameters}")
        assert found["header"]["total"] <= 1000
        return {each["siret"] for each in found["etablissements"]}

    def _ask(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        request = urllib.request.Request(self.url + path, body, {KEY_HEADER: "key"})  # noqa: S310  # loopback
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  # loopback
            content: dict[str, Any] = json.load(answer)
            return content


def simulated(**options: Any) -> SimulatorOptions:
    defaults = {"establishments": 1500, "departements": ("33",), "requests_per_minute": 6000}
    return SimulatorOptions(**{**defaults, **options})


@pytest.fixture
def start_insee() -> Iterator[Callable[..., Insee]]:
    servers = []

    def start(**options: Any) -> Insee:
        server = RunningServer(simulated(**options))
        servers.append(server)
        return Insee(server.root)

    yield start
    for server in servers:
        server.stop()


StartInsee = Callable[..., Insee]


def settings_of(insee: Insee, database_url: str) -> dict[str, str]:
    """Return the environment of a command; its broker does not answer, as no command needs it."""
    return {
        "SIRENADE_DATABASE_URL": database_url,
        "SIRENADE_BROKER_URL": "amqp://nobody:secret@127.0.0.1:1/none",
        "SIRENADE_INSEE_URL": insee.url + API,
        "SIRENADE_INSEE_KEY": "key",
        "SIRENADE_INSEE_REQUESTS_PER_MINUTE": "6000",
    }


@dataclass
class Outbox:
    """Replaces the queues: keeps the messages, or raises `error` for a slice."""

    pages: list[FetchPage] = field(default_factory=list)
    slices: list[WriteSlice] = field(default_factory=list)
    error: Exception | None = None

    def publish(self, message: FetchPage | WriteSlice) -> None:
        if isinstance(message, FetchPage):
            self.pages.append(message)
        elif self.error is not None:
            raise self.error
        else:
            self.slices.append(message)

    def sirets(self) -> list[str]:
        """Return the sirets of the slices that count, in order of batch, page and slice."""
        latest = {(message.batch_id, message.page): message.fetch_id for message in self.slices}
        counting = [
            each for each in self.slices if each.fetch_id == latest[each.batch_id, each.page]
        ]
        counting.sort(key=lambda each: (each.batch_id, each.page, each.slice))
        return [record["siret"] for each in counting for record in json.loads(each.records)]


def execute(engine: Engine, statement: str, **parameters: object) -> list[Any]:
    with engine.begin() as connection:
        result = connection.execute(text(statement), parameters)
        return list(result.all()) if result.returns_rows else []


@dataclass
class Fetcher:
    """A fetcher without threads: each turn is a call."""

    engine: Engine
    store: ImportStore
    pages: PageStore
    quota: Quota
    walker: Walker
    inquirer: Inquirer
    planner: Planner
    sweeper: Sweeper
    outbox: Outbox
    # One number that a test may change: the slices that wait for the writer.
    slices_ready: list[int]

    def order_departements(self, *departements: str, row_limit: int | None = None) -> None:
        self.order(Scope(departements=departements), row_limit=row_limit)

    def order(self, scope: Scope, *, row_limit: int | None = None) -> int:
        with self.engine.begin() as connection:
            return order_import(connection, scope, row_limit=row_limit)

    def plan(self, *departements: str, row_limit: int | None = None) -> None:
        """Order them and plan: the first page of each walk is in the outbox."""
        self.order_departements(*departements, row_limit=row_limit)
        self.planner.turn()

    def walk_to_the_end(self, *, most_messages: int = 200) -> None:
        """Handle the messages of pages until none is left, as the threads of the actor do."""
        for _ in range(most_messages):
            if not self.outbox.pages:
                return
            self.walker.fetch_page(self.outbox.pages.pop(0))
        pytest.fail("the walk does not end")

    def walk_all_batches(self) -> None:
        """Walk until no batch is left, in place of the writer, which ends the walked ones."""
        while self.outbox.pages:
            self.walk_to_the_end()
            self.end_running_batches()
            self.planner.turn()

    def end_running_batches(self) -> None:
        self.execute("UPDATE import_batches SET status = 'complete' WHERE status = 'running'")

    def execute(self, statement: str, **parameters: object) -> list[Any]:
        return execute(self.engine, statement, **parameters)

    def value(self, query: str) -> Any:
        """Return the first column of the first row; None where there is no row."""
        rows = self.execute(query)
        return rows[0][0] if rows else None


MakeFetcher = Callable[..., Fetcher]


@pytest.fixture
def make_fetcher(engine: Engine) -> MakeFetcher:
    return functools.partial(build_fetcher, engine)


def build_fetcher(
    engine: Engine,
    insee: Insee,
    *,
    rows_per_page: int = 1000,
    per_minute: float = 6000,
    most_rows_of_delta: int = MOST_ROWS_UNCUT,
    timeout_seconds: float = 5,
) -> Fetcher:
    clock, metrics, outbox, slices_ready = Clock(), Metrics(), Outbox(), [0]
    store, pages = ImportStore(engine), PageStore(engine)
    quota = Quota(engine, "key", clock, metrics)
    quota.open(requests_per_minute=per_minute, requests_per_hour=None)
    client = InseeClient(insee.url + API, "key", timeout_seconds=timeout_seconds, pool_size=4)
    sender = Sender(client, quota, engine, metrics)
    walker = Walker(
        pages=pages,
        sender=sender,
        publish=outbox.publish,
        slices_ready=lambda: slices_ready[0],
        metrics=metrics,
        lease_seconds=25 + timeout_seconds,
        slot_patience_seconds=10,
        rows_per_page=rows_per_page,
        max_slices_ready=100,
    )
    sweeper = Sweeper(
        pages=pages,
        publish=outbox.publish,
        pages_ready=lambda: len(outbox.pages),
        slices_ready=lambda: slices_ready[0],
        unwritten_seconds=0,
        metrics=metrics,
    )
    planner = Planner(
        store,
        outbox.publish,
        walker.count,
        parallel_batches=4,
        lease_seconds=60,
        informations=walker.ask_informations,
        most_rows_of_delta=most_rows_of_delta,
    )
    inquirer = Inquirer(sender, clock)
    return Fetcher(
        engine, store, pages, quota, walker, inquirer, planner, sweeper, outbox, slices_ready
    )
