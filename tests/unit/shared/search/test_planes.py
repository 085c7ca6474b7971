"""Coordinates against those that the IGN's converter gives, to the metre."""

import math

import pytest

from shared.search.planes import _utm, place_in_index, places_on_the_ground


@pytest.mark.parametrize(
    ("latitude", "longitude", "x", "y"),
    [
        # The tower of Eiffel, and the origin of Lambert 93.
        (48.8584, 2.2945, 648_237.3, 6_862_271.7),
        (46.5, 3.0, 700_000.0, 6_600_000.0),
    ],
)
def test_metropolitan_degrees_become_metres_of_lambert_93(
    latitude: float, longitude: float, x: float, y: float
) -> None:
    [place] = places_on_the_ground(latitude, longitude)
    assert math.dist(place, (x, y)) < 3


def test_the_tower_of_eiffel_is_where_utm_has_it() -> None:
    """Metropolitan France is in no zone of ours; its figures are the best known."""
    assert math.dist(_utm(3.0)(48.8583, 2.2945), (448_251.898, 5_411_943.794)) < 0.01


def test_on_its_meridian_utm_measures_the_arc_of_the_ellipsoid() -> None:
    x, y = _utm(57.0)(45.0, 57.0)
    assert x == 500_000
    assert y / 0.9996 == pytest.approx(4_984_944.378, abs=0.01)
    assert _utm(57.0, south=True)(-45.0, 57.0)[1] == pytest.approx(10_000_000 - y)


@pytest.mark.parametrize(
    ("code_commune", "latitude", "longitude"),
    [
        ("97105", 16.24, -61.53),
        ("97209", 14.60, -61.07),
        ("97302", 4.93, -52.33),
        ("97411", -20.88, 55.45),
        ("97608", -12.78, 45.23),
        ("97502", 46.78, -56.18),
        ("97701", 17.9, -62.85),
        ("97801", 18.07, -63.08),
    ],
)
def test_each_territory_overseas_is_in_the_plane_of_its_register(
    code_commune: str, latitude: float, longitude: float
) -> None:
    [(x, y)] = places_on_the_ground(latitude, longitude)
    plane, inside = divmod(x, 10_000_000)
    assert place_in_index(code_commune, inside, y) == (x, y)
    assert plane > 0


def test_a_place_abroad_is_in_no_plane() -> None:
    assert list(places_on_the_ground(52.5, 13.4)) == []


def test_planes_never_meet() -> None:
    here = place_in_index("97105", 650_000, 1_700_000)
    there = place_in_index("97411", 650_000, 1_700_000)
    assert here[0] is not None
    assert there[0] is not None
    assert math.dist(here, there) > 1_000_000


@pytest.mark.parametrize(("x", "y"), [(None, None), (1.0, None), (1e12, 0), (math.nan, 0.0)])
def test_what_is_no_place_has_none(x: float | None, y: float | None) -> None:
    assert place_in_index("75056", x, y) == (None, None)
    assert place_in_index("98735", 1.0, 1.0) == (None, None)
