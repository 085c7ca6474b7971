"""A register that is imported, changed here or at INSEE, and then certified."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Engine

from deploy.local.postgres import RunningPostgres
from services.fetcher.certificates.certifier import Certifier, Depth
from services.fetcher.certificates.store import CertificateStore, Outcome
from services.fetcher.certificates.stored_rows import StoredRows
from services.fetcher.insee.patient_client import Inquirer
from services.simulator.gateway.server import RunningServer
from services.simulator.options import SimulatorOptions
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.imports.scope import Scope
from tests.integration.fetcher.conftest import Insee, build_fetcher
from tests.integration.fetcher.register_copy import Copy

GIRONDE = Scope(departements=["33"])
REGISTER: Any = {"establishments": 650, "departements": ("33",), "requests_per_minute": 60_000}


@dataclass
class World(Copy):
    """A copy of a register that is certified."""

    said: list[str] = field(default_factory=list)
    on_page: Callable[[int, int], None] = lambda _listed, _expected: None

    @classmethod
    def over(cls, insee: Insee, engine: Engine) -> "World":
        return cls(insee, build_fetcher(engine, insee, per_minute=60_000))

    @property
    def engine(self) -> Engine:
        return self.fetcher.engine

    def import_(self, scope: Scope = GIRONDE) -> None:
        self.fetcher.order(scope)
        self.work_off()

    def certify(
        self, scope: Scope = GIRONDE, *, full: bool = False, content: bool = False
    ) -> Outcome:
        depth: Depth = "contents" if content else "sirets" if full else "counts"
        return self.certifier().certify([scope], depth)

    def certifier(self) -> Certifier:
        return Certifier(
            store=CertificateStore(self.engine),
            rows=StoredRows(self.engine),
            inquirer=Inquirer(self.fetcher.walker.sender, Clock()),
            rows_per_page=200,
            per_minute=6000,
            say=self.said.append,
            show=self.on_page,
        )

    def execute(self, statement: str, **parameters: object) -> list[Any]:
        return self.fetcher.execute(statement, **parameters)

    def sirets(self) -> list[str]:
        return [row[0] for row in self.execute("SELECT siret FROM etablissements ORDER BY 1")]

    def delete(self, *sirets: str) -> None:
        self.execute("DELETE FROM etablissements WHERE siret = ANY(:sirets)", sirets=list(sirets))

    def invent(self, siret: str, *, departement: str = "33") -> None:
        self.execute(
            """
            INSERT INTO etablissements (siret, siren, nic, statut_diffusion, etat_administratif,
              departement, code_commune, content_hash, fetched_at)
            VALUES (:siret, left(:siret, 9), right(:siret, 5), 'O', 'A', :departement,
              :departement || '063', '', now())
            """,
            siret=siret,
            departement=departement,
        )

    def certificate(self, number: int) -> dict[str, Any]:
        (row,) = self.execute("SELECT to_jsonb(c) FROM certificates c WHERE id = :id", id=number)
        return dict(row[0])


@pytest.fixture(scope="session")
def imported(postgres: RunningPostgres, migrated_template: str) -> Iterator[str]:
    """Import the Gironde of the simulator once; return the name of the database."""
    name = "imported_template"
    engine = make_engine(
        postgres.create_database(name, template=migrated_template), application_name="test"
    )
    server = RunningServer(SimulatorOptions(**REGISTER))
    World.over(Insee(server.root), engine).import_()
    server.stop()
    engine.dispose()
    yield name
    postgres.drop_database(name)


@pytest.fixture
def database_url(postgres: RunningPostgres, imported: str) -> Iterator[str]:
    yield postgres.create_database("certified", template=imported)
    postgres.drop_database("certified")


@pytest.fixture
def world(start_insee: Callable[..., Insee], engine: Engine) -> World:
    return World.over(start_insee(**REGISTER), engine)
