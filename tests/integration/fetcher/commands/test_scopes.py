"""Each kind of scope is walked at the simulator and compared with its whole register."""

import json
import urllib.request
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from services.fetcher.insee.client import KEY_HEADER
from services.fetcher.plan import windows
from services.simulator.gateway.server import RunningServer
from services.simulator.options import SimulatorOptions
from shared.errors import SlowDown
from shared.imports.scope import Scope
from tests.integration.fetcher.conftest import API, Fetcher, Insee, MakeFetcher

if TYPE_CHECKING:
    from collections.abc import Callable

Record = dict[str, Any]

_DEPARTEMENTS = ("33", "2A", "974")


@pytest.fixture(scope="module")
def insee() -> Any:
    options = SimulatorOptions(
        establishments=1500, departements=_DEPARTEMENTS, requests_per_minute=60_000
    )
    server = RunningServer(options)
    yield Insee(server.root)
    server.stop()


@pytest.fixture(scope="module")
def register(insee: Insee) -> list[Record]:
    """Return all records of the simulator, by a query without a criterion."""
    records: list[Record] = []
    while len(records) < 1500:
        url = f"{insee.url}{API}/siret?nombre=1000&debut={len(records)}"
        request = urllib.request.Request(url, headers={KEY_HEADER: "another"})  # noqa: S310  # loopback
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # loopback
            records += json.load(answer)["etablissements"]
    return records


def current(record: Record, name: str) -> Any:
    (periode,) = [each for each in record["periodesEtablissement"] if each["dateFin"] is None]
    return periode[name]


def commune(record: Record) -> str:
    return str(record["adresseEtablissement"]["codeCommuneEtablissement"])


def activite(record: Record) -> Any:
    return current(record, "activitePrincipaleEtablissement")


def etat(record: Record) -> Any:
    return current(record, "etatAdministratifEtablissement")


def walk(fetcher: Fetcher, scope: Scope) -> list[str]:
    fetcher.order(scope)
    fetcher.planner.turn()
    fetcher.walk_all_batches()
    return fetcher.outbox.sirets()


def test_each_scope_brings_exactly_what_the_register_holds_of_it(
    insee: Insee, register: list[Record], make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(insee, rows_per_page=400, per_minute=60_000)
    (bakers, _), (others, _) = Counter(map(activite, register)).most_common(2)
    (place, _) = Counter(map(commune, register)).most_common(1)[0]
    low, high = register[300]["siret"], register[900]["siret"]
    cases: list[tuple[Scope, Callable[[Record], bool]]] = [
        (Scope(), lambda _: True),
        (Scope(departements=["2A"]), lambda r: commune(r).startswith("2A")),
        (Scope(departements=["974"]), lambda r: commune(r).startswith("974")),
        (Scope(communes=[place]), lambda r: commune(r) == place),
        (Scope(activites=[bakers, others]), lambda r: activite(r) in {bakers, others}),
        (Scope(etat_administratif="A"), lambda r: etat(r) == "A"),
        (
            Scope(departements=["33"], activites=[bakers], etat_administratif="F"),
            lambda r: commune(r)[:2] == "33" and activite(r) == bakers and etat(r) == "F",
        ),
        (Scope(siret_from=low, siret_to=high), lambda r: low <= r["siret"] <= high),
        (Scope(siret_from=high), lambda r: r["siret"] >= high),
        (
            Scope(communes=[place], siret_to=high),
            lambda r: commune(r) == place and r["siret"] <= high,
        ),
    ]
    for scope, belongs in cases:
        fetcher.outbox.slices.clear()
        wanted = sorted(record["siret"] for record in register if belongs(record))
        assert wanted, scope
        assert sorted(walk(fetcher, scope)) == wanted, scope


def test_units_with_masked_fields_are_in_every_walk(
    insee: Insee, register: list[Record], make_fetcher: MakeFetcher
) -> None:
    masked = [each for each in register if each["statutDiffusionEtablissement"] == "P"]
    assert masked
    fetcher = make_fetcher(insee, per_minute=60_000)
    scope = Scope(etat_administratif="A", siret_from="00000000000000")
    open_ones = {each["siret"] for each in masked if etat(each) == "A"}
    assert open_ones <= set(walk(fetcher, scope))


def test_sirets_that_insee_does_not_know_are_no_error_of_their_walk(
    insee: Insee, register: list[Record], make_fetcher: MakeFetcher
) -> None:
    known = [record["siret"] for record in register[:150]]
    # The simulator needs 2 s for a query of a hundred terms, more on a busy machine.
    fetcher = make_fetcher(insee, per_minute=60_000, timeout_seconds=30)

    found = walk(fetcher, Scope(sirets=[*known, "99999999999999", "00000000000000"]))

    assert sorted(found) == sorted(known)
    batches = "SELECT cardinality(sirets) AS asked, expected FROM import_batches ORDER BY id"
    assert fetcher.execute(batches) == [(100, 99), (52, 51)]


def test_a_window_that_is_cut_brings_every_row_once(
    insee: Insee, register: list[Record], make_fetcher: MakeFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "MOST_ROWS_UNCUT", 200)
    fetcher = make_fetcher(insee, per_minute=60_000)

    fetcher.order(Scope())
    fetcher.planner.turn()
    ((batches, expected),) = fetcher.execute("SELECT count(*), sum(expected) FROM import_batches")
    assert batches >= 4
    assert expected == 1500
    fetcher.walk_all_batches()
    assert fetcher.outbox.sirets() == [record["siret"] for record in register]


def test_a_count_that_fails_does_not_cost_those_before_it_again(
    insee: Insee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(insee, per_minute=60_000)
    fetcher.order_departements("33", "2A", "974")
    asked: list[str] = []

    def count(query: str) -> int:
        asked.append(query)
        if len(asked) == 3:
            raise SlowDown("no slot", retry_after_seconds=1)
        return 7

    planner = replace(fetcher.planner, count=count)
    planner.turn()
    planner.turn()

    assert len(asked) == 4
    assert fetcher.value("SELECT sum(expected) FROM import_batches") == 21


def test_batches_of_another_run_start_while_a_long_plan_is_counted(
    insee: Insee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(insee, per_minute=60_000)
    one_walker = replace(fetcher.planner, parallel_batches=1)
    fetcher.order_departements("33", "2A")
    one_walker.turn()
    fetcher.order_departements("974", "33")
    started: list[int] = []

    def count(_query: str) -> int:
        started.append(
            fetcher.value("SELECT count(*) FROM import_batches WHERE status <> 'pending'")
        )
        fetcher.end_running_batches()
        return 7

    replace(one_walker, count=count).turn()

    assert started == [1, 2]
