"""Lists by filters, by distance and by number; their cursors, totals and facets."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from services.portal.search import counts, lists
from services.portal.search.engine import Filters, Near, UnknownPlace
from tests.integration.portal.search.conftest import Finder
from tests.integration.portal.search.invented import COMMUNES, Invented, store

_BORDEAUX = Near(44.8378, -0.5792, radius_km=50)


def _of(finder: Finder, holds: Callable[[Invented], bool]) -> set[str]:
    return {each.siret for each in finder.invented.values() if holds(each)}


FILTERS: list[tuple[Filters, Callable[[Invented], bool]]] = [
    (Filters(), lambda _: True),
    (Filters(etat="A"), lambda _: True),
    (Filters(etat="F"), lambda _: False),
    (Filters(code_commune=["33063"]), lambda each: each.commune[0] == "33063"),
    (Filters(code_commune=["33063", "64445"]), lambda each: each.commune[0] in {"33063", "64445"}),
    (Filters(code_commune=["75056"]), lambda each: each.commune[2] == "75"),
    (
        Filters(code_commune=["33063"], activite_principale=["10.71C", "45.20A"]),
        lambda each: each.commune[0] == "33063" and each.activite in {"10.71C", "45.20A"},
    ),
    (Filters(activite_principale=["10.71C"]), lambda each: each.activite == "10.71C"),
    (Filters(activite_principale=["10", "45.20A"]), lambda each: each.activite[:2] in {"10", "45"}),
    (
        Filters(departement=["33", "974"], activite_principale=["96.02A"]),
        lambda each: each.commune[2] in {"33", "974"} and each.activite == "96.02A",
    ),
    (
        Filters(region=["75"], activite_principale=["96.02A"]),
        lambda each: each.commune[3] == "75" and each.activite == "96.02A",
    ),
    (Filters(region=["75"]), lambda each: each.commune[3] == "75"),
    (Filters(code_postal=["64000"], siege=False), lambda each: each.commune[4] == "64000"),
    (Filters(tranche_effectifs=["21"]), lambda each: each.tranche == "21"),
    (Filters(categorie_juridique=["1000"]), lambda _: False),
    (Filters(departement=["99"]), lambda _: False),
]


@pytest.mark.parametrize(("filters", "holds"), FILTERS)
def test_a_list_has_all_that_meet_its_filters_once(
    finder: Finder, filters: Filters, holds: Callable[[Invented], bool]
) -> None:
    walked = finder.walk(filters=filters, limit=25)
    assert len(walked) == len(set(walked))
    assert set(walked) == _of(finder, holds)
    assert finder.find(filters=filters).total == len(walked)


def test_the_largest_come_first(finder: Finder) -> None:
    sizes = {"NN": 0, "01": 1, "11": 2, "21": 3}
    walked = finder.walk(filters=Filters(departement=["33"]), limit=10)
    ranks = [sizes[finder.invented[siret].tranche] for siret in walked]
    assert ranks == sorted(ranks, reverse=True)


def test_a_walk_sees_each_row_once_while_others_are_written(finder: Finder, engine: Engine) -> None:
    filters = Filters(departement=["33"])
    before = _of(finder, lambda each: each.commune[2] == "33")
    walked: list[str] = []
    after = None
    for turn in range(1000):
        found = finder.find(filters=filters, limit=10, after=after)
        walked += [hit.siret for hit in found.hits]
        new = Invented(f"{900_000_000 + turn:09d}00001", "NOUVEAU", COMMUNES[0], "10.71C")
        if turn < 5:
            store(engine, [new])
        if (after := found.next) is None:
            break
    assert len(walked) == len(set(walked))
    assert before <= set(walked)


@pytest.mark.parametrize("order", ["relevance", "distance"])
def test_the_nearest_come_first_and_none_beyond_the_circle(finder: Finder, order: Any) -> None:
    found = finder.find(near=_BORDEAUX, order=order, limit=25)
    distances = [hit.distance_m for hit in found.hits]
    assert None not in distances
    assert distances == sorted(distances)  # type: ignore[type-var]  # none is None
    walked = finder.walk(near=_BORDEAUX, order=order, limit=10)
    assert set(walked) == _of(finder, lambda each: each.commune[2] == "33")
    assert len(walked) == len(set(walked))


def test_a_distance_is_that_on_the_ground(finder: Finder) -> None:
    each = next(each for each in finder.invented.values() if each.commune[0] == "97411")
    latitude, longitude = each.commune[5:]
    found = finder.find(each.nom, near=Near(latitude, longitude, radius_km=10))
    [hit] = [hit for hit in found.hits if hit.siret == each.siret]
    assert hit.distance_m == pytest.approx(each.metres_north, abs=5)


def test_words_and_a_circle_are_one_question(finder: Finder) -> None:
    found = finder.walk("garage", near=_BORDEAUX, order="distance")
    assert set(found) == _of(
        finder, lambda each: each.commune[2] == "33" and each.nom.startswith("GARAGE")
    )
    assert finder.find("garage", near=Near(52.5, 13.4)).total == 0
    assert finder.find(near=Near(52.5, 13.4)).total == 0


@pytest.mark.parametrize("q", ["", "garage"])
def test_the_youngest_come_first(finder: Finder, q: str) -> None:
    walked = finder.walk(q, order="creation", limit=25)
    created = [finder.invented[siret].created for siret in walked]
    assert created == sorted(created, reverse=True)
    assert len(walked) == len(set(walked))


@pytest.mark.parametrize("q", ["", "garage", "garage bordeaux"])
def test_facets_count_what_was_found(finder: Finder, q: str) -> None:
    facets: list[Any] = ["activite_principale", "departement", "tranche_effectifs", "etat"]
    found = finder.find(q, facets=facets)
    rows = [finder.invented[siret] for siret in finder.walk(q, limit=25)]
    assert dict(found.facets["departement"]) == Counter(each.commune[2] for each in rows)
    assert dict(found.facets["activite_principale"]) == Counter(each.activite for each in rows)
    assert dict(found.facets["tranche_effectifs"]) == Counter(each.tranche for each in rows)
    assert dict(found.facets["etat"]) == {"A": len(rows)}
    numbers = [number for _, number in found.facets["departement"]]
    assert numbers == sorted(numbers, reverse=True)


def test_beyond_the_most_a_total_is_not_exact(
    finder: Finder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "MOST_COUNTED", 50)
    found = finder.find(filters=Filters(etat="A"))
    assert (found.total, found.total_exact) == (50, False)


def test_too_many_ranges_are_one_walk(finder: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    filters = Filters(code_commune=["33063", "64445"])
    ranges = finder.walk(filters=filters)
    monkeypatch.setattr(lists, "_MOST_RANGES", 1)
    assert finder.walk(filters=filters) == ranges


def test_a_number_finds_its_page_and_its_unit(finder: Finder) -> None:
    each = next(iter(finder.invented.values()))
    spaced = f"{each.siret[:3]} {each.siret[3:6]} {each.siret[6:9]} {each.siret[9:]}"
    assert finder.sirets(spaced) == [each.siret]
    assert finder.sirets(each.siret[:9]) == [each.siret]
    assert finder.sirets("999999999") == []
    found = finder.find(each.siret, filters=Filters(etat="F"))
    assert (found.total, list(found.hits)) == (0, [])
    assert finder.sirets(each.siret, filters=Filters(departement=[each.commune[2]]))


def test_a_masked_page_is_found_by_its_number_alone(finder: Finder, engine: Engine) -> None:
    masked = Invented("80000000000001", "SECRETE", COMMUNES[0], "10.71C", statut="P")
    store(engine, [masked])
    assert finder.sirets(masked.siret, filters=Filters(etat="A")) == [masked.siret]
    assert finder.find(masked.siret).total == 1
    assert finder.sirets("secrete") == []
    assert masked.siret not in finder.walk(filters=Filters(code_commune=["33063"]))
    assert finder.sirets(masked.siret, filters=Filters(departement=["33"])) == []


@pytest.mark.parametrize("after", ["", "w:1:1", "nonsense", "r:1"])
def test_a_cursor_of_another_search_is_refused(finder: Finder, after: str) -> None:
    with pytest.raises(UnknownPlace):
        finder.find(after=after)


def test_an_index_that_is_not_made_finds_nothing(engine: Engine, finder: Finder) -> None:
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE search_entries, search_lexemes, search_prefixes"))
    assert finder.find("garage").total == 0
    assert finder.find().total == 0
    assert finder.suggested("ga") == []
