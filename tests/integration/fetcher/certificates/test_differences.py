"""A certificate finds each missing and each surplus siret, and a repair fetches them."""

import pytest

from services.fetcher.certificates import comparison
from shared.errors import UserError
from shared.imports.scope import Scope
from shared.imports.statement import StatementSubject, read_statement
from tests.integration.exported import gaps
from tests.integration.fetcher.certificates.conftest import World
from tests.integration.fetcher.certificates.repairs import repair


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
    order = repair(world.engine, certificate_id=None, of_run=None)
    assert (order.subject, order.sirets, order.requests) == (f"certificate {found.id}", 4, 1)
    with pytest.raises(UserError, match=f"run {order.run_id} fetches the differences of cert"):
        repair(world.engine, certificate_id=None, of_run=None)
    world.work_off()
    assert world.sirets() == sirets
    assert world.certify(full=True).status == "agree"
    assert repair(world.engine, certificate_id=None, of_run=None).run_id is None


def test_rows_that_insee_does_not_list_are_surplus_until_a_repair_shows_that_they_are_gone(
    world: World,
) -> None:
    invented = ["00000000000001", "50000000000005", "99999999999999"]
    for siret in invented:
        world.invent(siret)

    found = world.certify()
    assert (found.status, found.missing.kept, found.surplus.kept) == ("differ", [], invented)

    order = repair(world.engine, certificate_id=found.id, of_run=None)
    world.work_off()

    counted = world.certify()
    assert (counted.status, counted.findings[0].gone_counted) == ("counts_agree", 3)
    full = world.certify(full=True)
    assert (full.status, full.surplus.kept, full.gone) == ("agree", [], invented)
    assert world.certificate(full.id)["gone_sirets"] == invented
    assert set(invented) < set(world.sirets())
    with world.engine.connect() as connection:
        statement = read_statement(connection, StatementSubject(run_id=order.run_id))
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
    repair(world.engine, certificate_id=None, of_run=None)
    world.work_off()
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
    assert repair(world.engine, certificate_id=None, of_run=None).left == 0


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


def test_more_differences_than_are_kept_are_counted_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "MOST_SIRETS_KEPT", 3)
    lost = world.sirets()[:5]
    world.delete(*lost)
    found = world.certify()
    kept = world.certificate(found.id)
    assert (kept["missing"], kept["stored"], kept["missing_sirets"]) == (5, 645, lost[:3])
    order = repair(world.engine, certificate_id=None, of_run=None)
    assert (order.sirets, order.left) == (3, 2)


def test_the_gap_is_that_of_the_latest_certificate_of_each_scope(world: World) -> None:
    lost = world.sirets()[:3]
    world.delete(*lost)
    world.certify()
    assert gaps(world.engine) == (3, 0, 0)
    world.certify(Scope(departements=["75"]))
    assert gaps(world.engine) == (3, 0, 0)
    world.import_()
    world.certify()
    assert gaps(world.engine) == (0, 0, 0)
