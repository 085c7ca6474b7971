import datetime as dt
from collections.abc import Sequence

import pytest

from services.fetcher.plan.windows import (
    MOST_ROWS_PER_WALK,
    PlannedBatch,
    Window,
    allot,
    cut_window,
    make_plan,
    windows_of,
)
from shared.imports.scope import Scope

_BAKERS = "activitePrincipaleEtablissement:10.71C"
_GROCERS = "activitePrincipaleEtablissement:47.11D"
_NOW = "periode(activitePrincipaleEtablissement:"
_CLOSED = "etatAdministratifEtablissement:F"
_ENDED = f"periode({_CLOSED} AND -dateFin:*)"


@pytest.mark.parametrize(
    ("scope", "queries"),
    [
        (
            Scope(departements=["33", "2A", "33"], communes=["33063"]),
            [
                "codeCommuneEtablissement:33*",
                "codeCommuneEtablissement:2A*",
                "codeCommuneEtablissement:33063",
            ],
        ),
        (Scope(activites=["10.71C"]), [f"periode({_BAKERS} AND -dateFin:*)"]),
        (Scope(etat_administratif="F"), [f"periode({_CLOSED} AND -dateFin:*)"]),
        (
            Scope(activites=["10.71C"], etat_administratif="F"),
            [f"periode({_BAKERS} AND {_CLOSED} AND -dateFin:*)"],
        ),
        (
            Scope(departements=["33"], activites=["10.71C", "47.11D", "10.71C"]),
            [
                f"codeCommuneEtablissement:33* AND periode({_BAKERS} AND -dateFin:*)",
                f"codeCommuneEtablissement:33* AND periode({_GROCERS} AND -dateFin:*)",
            ],
        ),
        (Scope(siret_from="30000000000012"), ["siret:[30000000000012 TO *]"]),
        (Scope(siret_to="30000000000012"), ["siret:[* TO 30000000000012]"]),
        (
            Scope(communes=["33063"], siret_from="30000000000012", siret_to="40000000000099"),
            ["codeCommuneEtablissement:33063 AND siret:[30000000000012 TO 40000000000099]"],
        ),
        (Scope(), ["siren:[000000000 TO 999999999]"]),
        (
            Scope(sirets=["30000000000020", "30000000000012", "30000000000012"]),
            ["siret:30000000000012 OR siret:30000000000020"],
        ),
    ],
)
def test_a_scope_is_asked_for_in_insees_language(scope: Scope, queries: list[str]) -> None:
    assert [window.query for window in windows_of(scope)] == queries


def test_a_list_of_sirets_is_asked_for_a_hundred_at_a_time() -> None:
    sirets = [f"{number:014d}" for number in range(250)]
    windows = windows_of(Scope(sirets=sirets))
    assert [len(window.sirets) for window in windows] == [100, 100, 50]
    assert [siret for window in windows for siret in window.sirets] == sirets


@pytest.mark.parametrize(
    ("totals", "limit", "shares"),
    [([10, 20], 100, [10, 20]), ([10, 20], 15, [10, 5]), ([10, 20], 10, [10]), ([0, 5], 3, [0, 3])],
)
def test_a_limit_is_allotted_in_order_until_it_is_used_up(
    totals: list[int], limit: int, shares: list[int]
) -> None:
    assert allot(iter(totals), limit) == shares


class Register:
    """Counts rows by siren, all in one département."""

    def __init__(self, *rows: tuple[int, int]) -> None:
        self.rows = rows
        self.asked: list[str] = []

    def count(self, query: str) -> int:
        self.asked.append(query)
        _, _, bounds = query.partition("siren:[")
        low, high = map(int, bounds.rstrip("]").split(" TO ")) if bounds else (0, 999_999_999)
        return sum(rows for siren, rows in self.rows if low <= siren <= high)


def _assert_covers(batches: Sequence[PlannedBatch], first: str, last: str) -> None:
    """Each piece begins right after the piece before it."""
    lows = [int(batch.window.siret_from or "") for batch in batches]
    highs = [int(batch.window.siret_to or "") for batch in batches]
    assert [lows[0], highs[-1]] == [int(first), int(last)]
    assert lows[1:] == [high + 1 for high in highs[:-1]]


def test_a_large_window_is_cut_at_sirens_and_nothing_falls_between() -> None:
    # The register is uneven: nearly all sirens begin with 3 to 9, and the young ones are dense.
    register = Register(*((siren, 1000) for siren in range(300_000_000, 990_000_000, 1_000_000)))
    plan = make_plan(Scope(departements=["33"]), row_limit=None, walkers=4, count=register.count)

    assert 4 <= len(plan) <= 8
    assert sum(batch.expected or 0 for batch in plan) == 690_000
    assert all(0 < (batch.expected or 0) <= 690_000 / 4 for batch in plan)
    assert all(batch.expected == register.count(batch.window.query) for batch in plan)
    _assert_covers(plan, "00000000000000", "99999999999999")
    assert {batch.window.departement for batch in plan} == {"33"}


def test_however_few_walkers_there_are_no_walk_is_larger_than_its_end_can_bear() -> None:
    register = Register(*((siren, 4000) for siren in range(300_000_000, 990_000_000, 1_000_000)))
    plan = make_plan(Scope(), row_limit=None, walkers=1, count=register.count)
    assert sum(batch.expected or 0 for batch in plan) == 2_760_000
    assert max(batch.expected or 0 for batch in plan) <= MOST_ROWS_PER_WALK
    _assert_covers(plan, "00000000000000", "99999999999999")


def test_a_cut_stays_within_the_range_asked_for() -> None:
    register = Register((300_000_000, 900), (500_000_000, 900), (500_000_001, 900))
    window = Window(siret_from="30000000000012", siret_to="50000000100099")
    plan = cut_window(window, 2700, most_rows=1000, count=register.count)
    _assert_covers(plan, "30000000000012", "50000000100099")


def test_a_siren_larger_than_a_piece_is_one_piece() -> None:
    register = Register((356_000_000, 5000), (900_000_000, 10))
    plan = cut_window(Window(departement="33"), 5010, most_rows=100, count=register.count)
    assert max(batch.expected or 0 for batch in plan) == 5000
    _assert_covers(plan, "00000000000000", "99999999999999")


@pytest.mark.parametrize(
    ("scope", "row_limit", "walkers", "counts", "batches"),
    [
        (Scope(departements=["33"]), None, 1, 1, 1),
        (Scope(departements=["33", "24", "40", "47"]), None, 4, 4, 4),
        (Scope(departements=["33"]), 300_000, 4, 0, 1),
        (Scope(departements=["33", "24"]), 300_000, 4, 1, 1),
        (Scope(sirets=["30000000000012"]), None, 4, 0, 1),
    ],
)
def test_nothing_is_counted_or_cut_without_need(
    scope: Scope, row_limit: int | None, walkers: int, counts: int, batches: int
) -> None:
    register = Register((300_000_000, 250_000), (600_000_000, 250_000))
    plan = make_plan(scope, row_limit=row_limit, walkers=walkers, count=register.count)
    assert (len(register.asked), len(plan)) == (counts, batches)


def test_a_window_of_few_rows_is_one_walk() -> None:
    register = Register((300_000_000, 100_000), (600_000_000, 100_000))
    plan = make_plan(Scope(departements=["33"]), row_limit=None, walkers=4, count=register.count)
    assert plan == [PlannedBatch(Window(departement="33"), expected=200_000)]


@pytest.mark.parametrize(
    ("today", "of_all", "of_closed"),
    [
        (
            dt.datetime(2026, 12, 31, 22, 59, tzinfo=dt.UTC),
            f"(activitePrincipaleNAF25Etablissement:43.22G OR {_NOW}43.22G AND -dateFin:*))",
            (
                f"(activitePrincipaleNAF25Etablissement:43.22G AND {_ENDED} OR "
                f"{_NOW}43.22G AND {_CLOSED} AND -dateFin:*))"
            ),
        ),
        (
            dt.datetime(2026, 12, 31, 23, 1, tzinfo=dt.UTC),
            f"{_NOW}43.22G AND -dateFin:*)",
            f"{_NOW}43.22G AND {_CLOSED} AND -dateFin:*)",
        ),
    ],
)
def test_a_code_of_naf_2025_is_asked_for_where_it_stands_on_that_day(
    today: dt.datetime, of_all: str, of_closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.fetcher.plan.windows.utc_now", lambda: today)
    assert Window(activite_principale="43.22G").query == of_all
    assert Window(activite_principale="43.22G", etat_administratif="F").query == of_closed
