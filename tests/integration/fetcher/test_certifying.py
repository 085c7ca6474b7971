"""A register that was imported, then changed on one side or the other, and certified."""

import json
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner, Result

from deploy.local.postgres import RunningPostgres
from services.fetcher import certifying, comparing
from services.fetcher.__main__ import app
from services.fetcher.certificates import CertificateStore, Outcome, show_gaps
from services.fetcher.certifying import Certifier, Walk
from services.fetcher.envelope import QuotaExceeded
from services.fetcher.inquiring import Inquirer
from services.fetcher.insee import InseeClient
from services.fetcher.repairing import order_repair
from services.fetcher.store import ImportStore
from services.fetcher.windows import Scope
from services.simulator.options import Options
from services.simulator.server import start_server
from services.writer.store import write_slice
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.errors import UserError
from shared.metrics import Metrics
from shared.statement import Subject, read_statement
from tests.integration.fetcher.conftest import API, Fetcher, Insee, build_fetcher, settings_of

_GIRONDE = Scope(departements=["33"])
_REGISTER: Any = {
    "establishments": 650,
    "departements": ("33",),
    "requests_per_minute": 60_000,
}


@dataclass
class World:
    """A simulator, a fetcher and a writer in one thread, and what is stored of it all."""

    insee: Insee
    fetcher: Fetcher
    engine: Engine
    said: list[str] = field(default_factory=list)
    on_page: Callable[[Walk], None] = lambda _walk: None

    @classmethod
    def over(cls, insee: Insee, engine: Engine) -> "World":
        return cls(insee, build_fetcher(engine, insee, per_minute=60_000), engine)

    def import_(self, scope: Scope = _GIRONDE) -> None:
        self.fetcher.request_scope(scope)
        self.work()

    def work(self) -> None:
        """Carry out what was asked for, to its end."""
        while True:
            self.fetcher.planner.turn()
            if not self.fetcher.outbox.pages:
                return
            self.fetcher.walk_to_the_end()
            for message in self.fetcher.outbox.slices:
                write_slice(self.engine, message, sole_traders=False)
            self.fetcher.outbox.slices.clear()

    def certify(self, scope: Scope = _GIRONDE, *, full: bool = False) -> Outcome:
        return self.certifier().certify(scope, full=full)

    def certifier(self, *, key: str = "key") -> Certifier:
        client = InseeClient(self.insee.url + API, key, timeout_seconds=5, pool_size=1)
        return Certifier(
            store=CertificateStore(self.engine),
            inquirer=Inquirer(
                quota=self.fetcher.quota, client=client, store=self.fetcher.store, clock=Clock()
            ),
            rows_per_page=200,
            per_minute=6000,
            say=self.said.append,
            show=self.on_page,
        )

    def execute(self, statement: str, **parameters: object) -> list[Any]:
        with self.engine.begin() as connection:
            result = connection.execute(text(statement), parameters)
            return list(result) if result.returns_rows else []

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


@pytest.fixture(scope="module")
def imported(postgres: RunningPostgres, migrated_template: str) -> Iterator[str]:
    """The name of a database into which the simulator's Gironde was imported once."""
    name = "imported_template"
    engine = make_engine(
        postgres.create_database(name, template=migrated_template), application_name="test"
    )
    server = start_server(Options(**_REGISTER))
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
    return World.over(start_insee(**_REGISTER), engine)


def test_what_was_imported_agrees_by_counts_and_in_full_by_sirets(world: World) -> None:
    before = world.insee.quota()["requests"]
    counted = world.certify()
    assert (counted.status, counted.requests) == ("counts_agree", 3)
    assert [(each.expected, each.stored) for each in counted.findings] == [(650, 650)]

    full = world.certify(full=True)

    assert (full.status, full.requests) == ("agree", 3 + 4)
    assert world.insee.quota()["requests"] == before + 3 + 7
    assert world.said == [
        "counts: 3 requests, about 0.1 min at the present quota",
        "counts: 3 requests, about 0.1 min at the present quota",
        "the walk: 4 requests, about 0.1 min at the present quota",
    ]
    kept = world.certificate(full.id)
    assert (kept["status"], kept["expected"], kept["stored"]) == ("agree", 650, 650)
    assert kept["informations_before"] == kept["informations_after"] == "2026-08-05T00:05:52.648"
    assert (kept["missing_sirets"], kept["surplus_sirets"]) == ([], [])
    assert kept["scope"] == {"departements": ["33"]}


def test_rows_that_are_not_stored_are_missing_and_a_repair_brings_them(world: World) -> None:
    sirets = world.sirets()
    lost = [sirets[0], sirets[199], sirets[200], sirets[-1]]
    world.delete(*lost)

    found = world.certify()

    assert (found.status, found.missing.kept, found.surplus.kept) == ("differ", lost, [])
    assert world.certificate(found.id)["missing"] == 4
    order = order_repair(world.engine, certificate_id=None, of_run=None)
    assert (order.subject, order.sirets, order.requests) == (f"certificate {found.id}", 4, 1)
    with pytest.raises(UserError, match=f"run {order.run_id} fetches what differs of cert"):
        order_repair(world.engine, certificate_id=None, of_run=None)
    world.work()
    assert world.sirets() == sirets
    assert world.certify(full=True).status == "agree"
    assert order_repair(world.engine, certificate_id=None, of_run=None).run_id is None


def test_rows_that_insee_does_not_list_are_surplus_until_a_repair_shows_that_they_are_gone(
    world: World,
) -> None:
    invented = ["00000000000001", "50000000000005", "99999999999999"]
    for siret in invented:
        world.invent(siret)

    found = world.certify()
    assert (found.status, found.missing.kept, found.surplus.kept) == ("differ", [], invented)

    order = order_repair(world.engine, certificate_id=found.id, of_run=None)
    world.work()

    counted = world.certify()
    assert (counted.status, counted.findings[0].gone_counted) == ("counts_agree", 3)
    full = world.certify(full=True)
    assert (full.status, full.surplus.kept, full.gone) == ("agree", [], invented)
    assert world.certificate(full.id)["gone_sirets"] == invented
    assert set(invented) < set(world.sirets())
    with world.engine.connect() as connection:
        statement = read_statement(connection, Subject(run_id=order.run_id))
    assert (statement.total.surplus, statement.total.gone, statement.is_kept) == (0, 3, True)


def test_an_establishment_that_moved_is_missing_here_and_surplus_there_until_it_is_fetched(
    world: World,
) -> None:
    mover = world.sirets()[17]
    world.execute(
        """
        UPDATE etablissements SET departement = '24', code_commune = '24037', content_hash = ''
        WHERE siret = :siret
        """,
        siret=mover,
    )
    both = Scope(departements=["24", "33"])

    found = world.certify(both)

    assert found.status == "differ"
    assert [(each.missing.kept, each.surplus.kept) for each in found.findings] == [
        ([], [mover]),
        ([mover], []),
    ]
    order_repair(world.engine, certificate_id=None, of_run=None)
    world.work()
    assert world.certify(both, full=True).status == "agree"


def test_equal_counts_hide_what_a_full_certificate_finds(world: World) -> None:
    lost = world.sirets()[400]
    world.delete(lost)
    world.invent("77777777777777")
    assert world.certify().status == "counts_agree"
    full = world.certify(full=True)
    assert (full.status, full.missing.kept) == ("differ", [lost])
    assert full.surplus.kept == ["77777777777777"]


def test_a_siret_in_two_windows_of_a_scope_is_one_difference(world: World) -> None:
    (lost, commune) = world.execute("SELECT siret, code_commune FROM etablissements LIMIT 1")[0]
    world.delete(lost)
    found = world.certify(Scope(departements=["33"], communes=[commune]))
    assert [each.missing.count for each in found.findings] == [1, 1]
    assert found.missing.count == world.certificate(found.id)["missing"] == 1
    assert order_repair(world.engine, certificate_id=None, of_run=None).left == 0


def test_a_scope_that_is_empty_on_both_sides_agrees(world: World) -> None:
    nowhere = Scope(departements=["75"])
    assert world.certify(nowhere).status == "counts_agree"
    assert world.certify(nowhere, full=True).status == "agree"
    world.invent("77777777777777", departement="75")
    assert world.certify(nowhere).surplus.kept == ["77777777777777"]


def test_every_kind_of_scope_counts_the_same_rows_here_and_there(world: World) -> None:
    (masked,) = world.execute("SELECT count(*) FROM etablissements WHERE statut_diffusion = 'P'")[0]
    assert masked > 0
    for scope in (
        Scope(departements=["33"], etat_administratif="A"),
        Scope(etat_administratif="F"),
        Scope(activites=["56.10A", "47.11D"]),
        Scope(siret_from="30000000000000"),
        Scope(siret_from="30000000000000", siret_to="59999999999999"),
        Scope(),
    ):
        found = world.certify(scope, full=True)
        assert (found.status, found.findings[0].expected > 0) == ("agree", True), scope


def test_a_window_whose_total_changes_during_the_walk_makes_the_certificate_void(
    world: World,
) -> None:
    leaver = world.sirets()[-1]

    def move(walk: Walk) -> None:
        if walk.listed == 400:
            world.insee.treat(leaver, "2026-08-05", codeCommuneEtablissement="24037")

    world.on_page = move
    found = world.certify(full=True)
    assert (found.status, found.reason) == ("void", "INSEE's data moved meanwhile: run it again")
    assert world.certificate(found.id)["status"] == "void"
    with pytest.raises(UserError, match="compares nothing, it is void"):
        order_repair(world.engine, certificate_id=None, of_run=None)


def test_a_new_day_at_insee_makes_the_certificate_void_even_where_totals_stay(
    world: World,
) -> None:
    world.on_page = lambda _walk: world.insee.publish(day="2026-08-06")
    found = world.certify(full=True)
    assert (found.status, found.reason) == ("void", "INSEE's data moved meanwhile: run it again")
    kept = world.certificate(found.id)
    assert kept["informations_before"] == "2026-08-05T00:05:52.648"
    assert kept["informations_after"] == "2026-08-06T00:05:52.648"


def test_a_walk_that_would_outlast_the_day_is_not_begun(world: World) -> None:
    certifier = replace(world.certifier(), per_minute=0.001)
    found = certifier.certify(_GIRONDE, full=True)
    assert (found.status, found.requests) == ("void", 2)
    assert "650 are listed and 650 stored" in (found.reason or "")


def test_more_differences_than_are_kept_are_counted_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "MOST_SIRETS_KEPT", 3)
    lost = world.sirets()[:5]
    world.delete(*lost)
    found = world.certify()
    kept = world.certificate(found.id)
    assert (kept["missing"], kept["stored"], kept["missing_sirets"]) == (5, 645, lost[:3])
    order = order_repair(world.engine, certificate_id=None, of_run=None)
    assert (order.sirets, order.left) == (3, 2)


def test_what_an_import_stores_during_the_walk_is_no_difference(world: World) -> None:
    lost = world.sirets()[10:14]
    world.delete(*lost)

    def import_anew(walk: Walk) -> None:
        if walk.listed == 400:
            world.import_(Scope(sirets=lost))

    world.on_page = import_anew
    found = world.certify()
    assert (found.status, found.missing.kept) == ("agree", [])


def test_a_certificate_that_was_cut_short_claims_nothing(world: World) -> None:
    def interrupt(_walk: Walk) -> None:
        raise KeyboardInterrupt

    world.on_page = interrupt
    with pytest.raises(KeyboardInterrupt):
        world.certify(full=True)
    (row,) = world.execute("SELECT status, reason FROM certificates")
    assert tuple(row) == ("void", "interrupted")


def test_a_process_that_was_killed_leaves_a_certificate_that_is_never_taken_for_one(
    world: World,
) -> None:
    class Killed(BaseException):
        pass

    def kill(_walk: Walk) -> None:
        raise Killed

    world.on_page = kill
    with pytest.raises(Killed):
        world.certify(full=True)
    (row,) = world.execute("SELECT status, missing, expected, finished_at FROM certificates")
    assert tuple(row) == ("running", None, None, None)
    with pytest.raises(UserError, match="no certificate yet"):
        order_repair(world.engine, certificate_id=None, of_run=None)
    with pytest.raises(UserError, match="compares nothing, it is running"):
        order_repair(world.engine, certificate_id=1, of_run=None)
    assert CertificateStore(world.engine).gaps() == (0, 0)


def test_the_gap_is_that_of_the_latest_certificate_of_each_scope(world: World) -> None:
    store = CertificateStore(world.engine)
    lost = world.sirets()[:3]
    world.delete(*lost)
    world.certify()
    assert store.gaps() == (3, 0)
    world.certify(Scope(departements=["75"]))
    assert store.gaps() == (3, 0)
    metrics = Metrics()
    show_gaps(store, metrics)
    gauge = "sirenade_certificate_gap_establishments"
    assert metrics.registry.get_sample_value(gauge, {"side": "missing"}) == 3
    assert metrics.registry.get_sample_value(gauge, {"side": "surplus"}) == 0
    world.import_()
    world.certify()
    assert store.gaps() == (0, 0)


def test_a_429_and_a_gateway_that_stumbles_fail_no_certificate(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = InseeClient.search_siret
    refusals = [QuotaExceeded(1.0)]

    def search(client: InseeClient, *arguments: Any, **options: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return asked(client, *arguments, **options)

    monkeypatch.setattr(InseeClient, "search_siret", search)
    world.on_page = lambda walk: world.insee.set_faults(next_errors=int(walk.listed == 400))
    assert world.certify(full=True).status == "agree"
    statuses = world.execute("SELECT http_status, count(*) FROM insee_requests GROUP BY 1")
    assert {(429, 1), (503, 1)} < {tuple(row) for row in statuses}


# ── As people call it ──


@pytest.fixture
def sirenade(world: World, database_url: str) -> Callable[..., Result]:
    def call(*arguments: str, **environment: str) -> Result:
        settings = {
            **settings_of(world.insee, database_url),
            "SIRENADE_INSEE_REQUESTS_PER_MINUTE": "10000",
            "COLUMNS": "200",
        }
        return CliRunner().invoke(app, arguments, env={**settings, **environment})

    return call


def test_the_command_says_its_cost_first_and_what_agrees(sirenade: Callable[..., Result]) -> None:
    result = sirenade("certify", "--departement", "33")
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("counts: 3 requests, about 0.1 min")
    assert result.stdout.startswith("counts agree: 650 = 650 (counts only")


def test_a_difference_is_listed_and_an_exit_status_and_its_repair_a_run(
    sirenade: Callable[..., Result], world: World
) -> None:
    lost = world.sirets()[3]
    world.delete(lost)
    result = sirenade("certify", "--departement", "33", "--departement", "75")
    assert result.exit_code == 1, result.output
    assert f"missing {lost}" in result.stdout
    assert "differs: 650 listed by INSEE, 649 stored, 1 missing, 0 surplus" in result.stdout
    assert "./sirenade repair --certificate 1 fetches just these, in 1 requests" in result.stdout

    repaired = sirenade("repair")
    assert repaired.exit_code == 0, repaired.output
    assert "1 establishments, 1 requests" in repaired.stdout
    world.work()

    as_json = sirenade("certify", "--departement", "33", "--full", "--json")
    found = json.loads(as_json.stdout)
    assert (as_json.exit_code, found["status"], found["missing_sirets"]) == (0, "agree", [])
    assert sirenade("repair").stdout.endswith("leaves nothing to repair\n")


def test_a_repair_of_a_run_fetches_what_its_statement_misses(
    sirenade: Callable[..., Result], world: World
) -> None:
    lost: Sequence[str] = world.sirets()[5:7]
    world.delete(*lost)
    world.execute("UPDATE import_batches SET missing_sirets = :lost", lost=lost)
    assert "2 establishments" in sirenade("repair", "--run", "1").stdout
    assert "run 2 fetches what differs of run 1 already" in str(
        sirenade("repair", "--run", "1").exception
    )
    world.work()
    with world.engine.connect() as connection:
        assert read_statement(connection, Subject(run_id=1)).is_kept


def test_an_import_that_is_watched_ends_with_its_statement(
    sirenade: Callable[..., Result], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def request_and_carry_out(_store: ImportStore, scope: Scope, *, row_limit: int | None) -> int:
        run_id = requested(world.fetcher.store, scope, row_limit=row_limit)
        world.work()
        return run_id

    requested = ImportStore.request_run
    monkeypatch.setattr(ImportStore, "request_run", request_and_carry_out)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    whole = sirenade("import", "--departement", "33")
    assert whole.exit_code == 0, whole.output
    assert whole.stderr.splitlines()[-1] == (
        "statement of run 2: expected 650, received 650, stored 650, failed items open 0, "
        "missing 0, surplus 0"
    )
    world.invent("77777777777777")
    broken = sirenade("import", "--departement", "33")
    assert broken.exit_code == 1
    assert "surplus 1" in broken.stderr
    assert "./sirenade statement --run 3 says where" in broken.stderr


def test_a_mistake_is_one_line(sirenade: Callable[..., Result]) -> None:
    for arguments, said in {
        "repair": "no certificate yet",
        "repair --certificate 7": "no certificate 7",
        "repair --run 7": "no run 7",
        "repair --run 1 --certificate 1": "not both",
        "certify": "say what to import",
        "certify --departement 99X": "unknown département",
    }.items():
        result = sirenade(*arguments.split())
        assert isinstance(result.exception, UserError), arguments
        assert said in str(result.exception)


def test_a_void_certificate_has_an_exit_status_of_its_own(
    sirenade: Callable[..., Result], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certifying, "_LONGEST_WALK_MINUTES", 0.0)
    result = sirenade("certify", "--departement", "33", "--full")
    assert (result.exit_code, result.stdout[:35]) == (3, "void: 650 are listed and 650 stored")
    world.insee.publish(etat="DOWN")
    down = sirenade("certify", "--departement", "33")
    assert "its establishments are not up" in str(down.exception)
    assert world.execute("SELECT count(*) FROM certificates")[0][0] == 1


def test_an_insee_that_is_away_is_one_line_and_leaves_no_certificate(
    sirenade: Callable[..., Result], world: World
) -> None:
    away = sirenade(
        "certify", "--departement", "33", SIRENADE_INSEE_URL="http://127.0.0.1:9/api-sirene/3.11"
    )
    assert "INSEE gives no good answer" in str(away.exception)
    assert isinstance(away.exception, UserError)
    assert world.execute("SELECT count(*) FROM certificates")[0][0] == 0


def test_a_key_that_insee_refuses_is_named(
    start_insee: Callable[..., Insee], sirenade: Callable[..., Result], world: World
) -> None:
    world.insee = start_insee(key="another", requests_per_minute=60_000)
    refused = sirenade("certify", "--departement", "33")
    assert isinstance(refused.exception, UserError)
    assert "SIRENADE_INSEE_KEY" in str(refused.exception)
    assert world.execute("SELECT count(*) FROM certificates")[0][0] == 0
