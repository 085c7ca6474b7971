"""A change between the first and the last page of a walk makes no false certificate."""

from dataclasses import replace
from typing import Any

import pytest

from services.fetcher.insee.answers import QuotaExceeded
from services.fetcher.insee.client import InseeClient
from shared.errors import UserError
from shared.imports.scope import Scope
from tests.integration.exported import gaps
from tests.integration.fetcher.certificates.conftest import GIRONDE, World
from tests.integration.fetcher.certificates.repairs import repair


def test_a_window_whose_total_changes_during_the_walk_makes_the_certificate_void(
    world: World,
) -> None:
    leaver = world.sirets()[-1]

    def move(listed: int, _expected: int) -> None:
        if listed == 400:
            world.insee.treat(leaver, "2026-08-05", codeCommuneEtablissement="24037")

    world.on_page = move
    found = world.certify(full=True)
    assert (found.status, found.reason) == ("void", "INSEE's data moved meanwhile: run it again")
    assert world.certificate(found.id)["status"] == "void"
    with pytest.raises(UserError, match="has no result, it is void"):
        repair(world.engine, certificate_id=None, of_run=None)


def test_a_new_day_at_insee_makes_the_certificate_void_even_where_totals_stay(world: World) -> None:
    world.on_page = lambda _listed, _expected: world.insee.publish(day="2026-08-06")
    found = world.certify(full=True)
    assert (found.status, found.reason) == ("void", "INSEE's data moved meanwhile: run it again")
    kept = world.certificate(found.id)
    assert kept["informations_before"] == "2026-08-05T00:05:52.648"
    assert kept["informations_after"] == "2026-08-06T00:05:52.648"


def test_a_walk_that_would_outlast_the_day_is_not_begun(world: World) -> None:
    certifier = replace(world.certifier(), per_minute=0.001)
    found = certifier.certify([GIRONDE], "sirets")
    assert (found.status, found.requests) == ("void", 2)
    assert "650 are listed and 650 stored" in (found.reason or "")


def test_what_an_import_stores_during_the_walk_is_no_difference(world: World) -> None:
    lost = world.sirets()[10:14]
    world.delete(*lost)

    def import_anew(listed: int, _expected: int) -> None:
        if listed == 400:
            world.import_(Scope(sirets=lost))

    world.on_page = import_anew
    found = world.certify()
    assert (found.status, found.missing.kept) == ("agree", [])


def test_a_certificate_that_was_cut_short_claims_nothing(world: World) -> None:
    def interrupt(_listed: int, _expected: int) -> None:
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

    def kill(_listed: int, _expected: int) -> None:
        raise Killed

    world.on_page = kill
    with pytest.raises(Killed):
        world.certify(full=True)
    (row,) = world.execute("SELECT status, missing, expected, finished_at FROM certificates")
    assert tuple(row) == ("running", None, None, None)
    with pytest.raises(UserError, match="no certificate yet"):
        repair(world.engine, certificate_id=None, of_run=None)
    with pytest.raises(UserError, match="has no result, it is running"):
        repair(world.engine, certificate_id=1, of_run=None)
    assert gaps(world.engine) == (0, 0, 0)


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
    world.on_page = lambda listed, _: world.insee.set_faults(next_errors=int(listed == 400))
    assert world.certify(full=True).status == "agree"
    statuses = world.execute("SELECT http_status, count(*) FROM insee_requests GROUP BY 1")
    assert {(429, 1), (503, 1)} < {tuple(row) for row in statuses}
