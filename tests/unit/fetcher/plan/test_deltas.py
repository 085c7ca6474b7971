"""The windows of a delta follow from INSEE's dates and the watermarks, and from no clock."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from services.fetcher.plan.deltas import (
    DeltaOrder,
    Freshness,
    NoWatermark,
    decide,
    make_delta_plan,
    whole_windows,
)
from shared.imports.scope import Scope
from shared.imports.treatments import COLLECTIONS, TreatmentWindow, Watermark

TUESDAY = datetime.fromisoformat("2026-08-04T00:05:54.033")
WEDNESDAY = datetime.fromisoformat("2026-08-05T00:05:52.648")
PUBLISHED = datetime.fromisoformat("2026-08-05T07:20:43.000")


def insee(
    until: datetime = WEDNESDAY, published: datetime | None = PUBLISHED, *, up: bool = True
) -> dict[str, Freshness]:
    return {name: Freshness(up, until, published) for name in COLLECTIONS}


def complete(until: datetime, published: datetime | None = None) -> Mapping[str, Watermark]:
    return {name: Watermark(until, published) for name in COLLECTIONS}


def starts(windows: object) -> set[object]:
    assert isinstance(windows, list)
    return {window.treated_from for window in windows}


def test_a_window_goes_from_before_the_watermark_to_insees_last_treatment() -> None:
    found = decide(DeltaOrder(overlap_hours=24), insee(), complete(TUESDAY))
    assert found.windows == [
        TreatmentWindow(name, TUESDAY - timedelta(hours=24), WEDNESDAY, PUBLISHED)
        for name in COLLECTIONS
    ]
    assert found.held_up == []


def test_an_earlier_date_widens_the_window_and_a_later_one_leaves_no_gap() -> None:
    earlier, later = TUESDAY - timedelta(days=60), TUESDAY + timedelta(hours=12)
    assert starts(decide(DeltaOrder(earlier), insee(), complete(TUESDAY)).windows) == {earlier}
    assert starts(decide(DeltaOrder(later), insee(), complete(TUESDAY)).windows) == {TUESDAY}


def test_a_date_asked_for_is_read_again_where_nothing_new_came() -> None:
    earlier = WEDNESDAY - timedelta(days=60)
    found = decide(DeltaOrder(earlier), insee(), complete(WEDNESDAY))
    assert (starts(found.windows), found.held_up) == ({earlier}, [])


@pytest.mark.parametrize("until", [WEDNESDAY, TUESDAY])
def test_an_insee_that_has_not_moved_or_went_back_brings_nothing(until: datetime) -> None:
    order = DeltaOrder(overlap_hours=48)
    found = decide(order, insee(until), complete(WEDNESDAY, PUBLISHED))
    assert found.windows == []
    assert found.held_up == [
        f"{name}: INSEE has published nothing after {until:%Y-%m-%d %H:%M}"
        for name in ("establishments", "legal units")
    ]


def test_a_day_published_once_more_is_read_once_more() -> None:
    before = PUBLISHED - timedelta(hours=1)
    found = decide(DeltaOrder(overlap_hours=24), insee(), complete(WEDNESDAY, before))
    assert starts(found.windows) == {WEDNESDAY - timedelta(hours=24)}


def test_a_collection_that_is_not_up_holds_up_itself_alone() -> None:
    state = insee() | {"unites_legales": Freshness(False, WEDNESDAY, PUBLISHED)}
    found = decide(DeltaOrder(), state, complete(TUESDAY))
    assert [window.collection for window in found.windows] == ["etablissements"]
    assert found.held_up == ["legal units: INSEE says that the collection is not up"]


def test_without_a_watermark_a_delta_needs_a_date() -> None:
    with pytest.raises(NoWatermark, match="give --since once"):
        decide(DeltaOrder(), insee(), {})
    assert starts(decide(DeltaOrder(TUESDAY), insee(), {}).windows) == {TUESDAY}


def test_a_date_that_insee_has_not_reached_is_no_window() -> None:
    found = decide(DeltaOrder(WEDNESDAY + timedelta(days=300)), insee(), {})
    assert found.windows == []
    assert [each.endswith("before the window") for each in found.held_up] == [True, True]


def test_a_whole_import_brings_everything_up_to_where_insee_was() -> None:
    assert whole_windows(insee()) == [
        TreatmentWindow(name, None, WEDNESDAY, PUBLISHED) for name in COLLECTIONS
    ]


def test_the_queries_name_treatment_dates_to_the_millisecond_and_no_maskable_field() -> None:
    asked = []

    def count(query: str) -> int:
        asked.append(query)
        return 7

    windows = [TreatmentWindow(name, TUESDAY, WEDNESDAY) for name in COLLECTIONS]
    plan = make_delta_plan(windows, [Scope()], count=count)
    span = "[2026-08-04T00:05:54.033 TO 2026-08-05T00:05:52.648]"
    assert asked == [batch.window.query for batch in plan]
    assert asked == [
        f"dateDernierTraitementEtablissement:{span}",
        f"dateDernierTraitementUniteLegale:{span} AND -dateDernierTraitementEtablissement:{span}",
    ]


def test_units_alone_are_asked_for_with_all_their_establishments() -> None:
    window = TreatmentWindow("unites_legales", TUESDAY, WEDNESDAY)
    [batch] = make_delta_plan([window], [Scope()], count=lambda _: 7)
    span = "[2026-08-04T00:05:54.033 TO 2026-08-05T00:05:52.648]"
    assert batch.window.query == f"dateDernierTraitementUniteLegale:{span}"


def test_a_delta_asks_for_the_scopes_that_are_held_and_for_what_ever_was_in_them() -> None:
    scopes = [
        Scope(departements=["33", "24"]),
        Scope(communes=["33063", "40001"]),
        Scope(departements=["33"], activites=["10.71C"], etat_administratif="A"),
    ]
    window = TreatmentWindow("etablissements", TUESDAY, WEDNESDAY)
    plan = make_delta_plan([window], scopes, count=lambda _: 7)
    span = "[2026-08-04T00:05:54.033 TO 2026-08-05T00:05:52.648]"
    treated = f"dateDernierTraitementEtablissement:{span}"
    commune = "codeCommuneEtablissement"
    bakers, are_open = "activitePrincipaleEtablissement:10.71C", "etatAdministratifEtablissement:A"
    assert [batch.window.query for batch in plan] == [
        f"{treated} AND ({commune}:33* OR {commune}:24* OR {commune}:40001)",
        f"{treated} AND {commune}:33* AND periode({bakers} AND {are_open})",
    ]


def test_an_empty_window_is_no_walk_and_a_mass_day_is_many() -> None:
    """Count rows that are evenly spread over the sirens."""

    def count(query: str) -> int:
        if "UniteLegale" in query:
            return 0
        low, _, high = query.partition("siren:[")[2].rstrip("]").partition(" TO ")
        return 1_000_000 if not low else (int(high) - int(low) + 1) // 1000

    windows = [TreatmentWindow(name, TUESDAY, WEDNESDAY) for name in COLLECTIONS]
    plan = make_delta_plan(windows, [Scope()], count=count)
    assert len(plan) == 8
    assert {batch.window.collection for batch in plan} == {"etablissements"}
    assert all(0 < (batch.expected or 0) <= 200_000 for batch in plan)
    assert abs(sum(batch.expected or 0 for batch in plan) - 1_000_000) <= 8
    ends = [(batch.window.siret_from, batch.window.siret_to) for batch in plan]
    assert (ends[0][0], ends[-1][1]) == ("0" * 14, "9" * 14)
    for (_, high), (low, _) in pairwise(ends):
        assert int((high or "")[:9]) + 1 == int((low or "")[:9])
