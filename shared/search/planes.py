"""The planes in which INSEE gives coordinates, and the way from latitude and longitude. Pure.

Metropolitan France is in Lambert 93, each overseas territory in the zone of UTM of its own, all in
metres on the ellipsoid GRS 80. Each plane is moved east by a distance of its own, so that places of
two planes are never near.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple, Protocol

_AXIS = 6_378_137.0
_FLATTENING = 1 / 298.257_222_101
_ECCENTRICITY = math.sqrt(_FLATTENING * (2 - _FLATTENING))
_BETWEEN_PLANES = 10_000_000
_FARTHEST = 9_900_000

# Lambert 93: its constants as the IGN publishes them (NT/G 71).
_EXPONENT = 0.725_607_765_053_267
_CONSTANT = 11_754_255.426_096
_MERIDIAN = 3.0
_POLE_X, _POLE_Y = 700_000.0, 12_655_612.049_876

# Transverse Mercator: Krüger's series in the third flattening.
_N = _FLATTENING / (2 - _FLATTENING)
_RADIUS = _AXIS / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
_SERIES = (
    _N / 2 - 2 / 3 * _N**2 + 5 / 16 * _N**3,
    13 / 48 * _N**2 - 3 / 5 * _N**3,
    61 / 240 * _N**3,
)
_SCALE, _EAST, _SOUTH = 0.9996, 500_000.0, 10_000_000.0


class Projection(Protocol):
    """Leads from degrees to metres."""

    def __call__(self, latitude: float, longitude: float) -> tuple[float, float]: ...


class Plane(NamedTuple):
    """A plane; `south`, `west`, `north`, `east` bound in degrees where it is used."""

    number: int
    projection: Projection
    south: float
    west: float
    north: float
    east: float

    def moved(self, x: float, y: float) -> tuple[int, int]:
        """Return coordinates of this plane as the index has them."""
        return round(x) + self.number * _BETWEEN_PLANES, round(y)

    def holds(self, latitude: float, longitude: float) -> bool:
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east


def _lambert_93(latitude: float, longitude: float) -> tuple[float, float]:
    distance = _CONSTANT * math.exp(-_EXPONENT * _isometric(latitude))
    turned = _EXPONENT * math.radians(longitude - _MERIDIAN)
    return _POLE_X + distance * math.sin(turned), _POLE_Y - distance * math.cos(turned)


def _isometric(latitude: float) -> float:
    sine = math.sin(math.radians(latitude))
    return math.atanh(sine) - _ECCENTRICITY * math.atanh(_ECCENTRICITY * sine)


def _utm(meridian: float, *, south: bool = False) -> Projection:
    def project(latitude: float, longitude: float) -> tuple[float, float]:
        t = math.sinh(_isometric(latitude))
        away = math.radians(longitude - meridian)
        xi = math.atan2(t, math.cos(away))
        eta = math.atanh(math.sin(away) / math.hypot(1, t))
        north, east = xi, eta
        for order, factor in enumerate(_SERIES, start=1):
            north += factor * math.sin(2 * order * xi) * math.cosh(2 * order * eta)
            east += factor * math.cos(2 * order * xi) * math.sinh(2 * order * eta)
        y = _SCALE * _RADIUS * north + (_SOUTH if south else 0)
        return _EAST + _SCALE * _RADIUS * east, y

    return project


_METROPOLE = Plane(0, _lambert_93, 41.0, -6.0, 51.6, 10.0)
_ANTILLES = Plane(1, _utm(-63.0), 14.0, -63.5, 18.5, -60.5)
_GUYANE = Plane(2, _utm(-51.0), 2.0, -55.0, 6.0, -51.0)
_REUNION = Plane(3, _utm(57.0, south=True), -21.6, 55.0, -20.6, 56.1)
_MAYOTTE = Plane(4, _utm(45.0, south=True), -13.2, 44.8, -12.4, 45.5)
_SAINT_PIERRE = Plane(5, _utm(-57.0), 46.6, -56.6, 47.3, -56.0)
_PLANES = (_METROPOLE, _ANTILLES, _GUYANE, _REUNION, _MAYOTTE, _SAINT_PIERRE)
_OVERSEAS = {
    "971": _ANTILLES,
    "972": _ANTILLES,
    "973": _GUYANE,
    "974": _REUNION,
    "975": _SAINT_PIERRE,
    "976": _MAYOTTE,
    "977": _ANTILLES,
    "978": _ANTILLES,
}


def place_in_index(
    code_commune: str, x: float | None, y: float | None
) -> tuple[int, int] | tuple[None, None]:
    """Return coordinates of the register as the index has them; none where no plane is known."""
    overseas = code_commune.startswith(("97", "98"))
    plane = _OVERSEAS.get(code_commune[:3]) if overseas else _METROPOLE
    if plane is None or x is None or y is None or not (abs(x) < _FARTHEST and abs(y) < _FARTHEST):
        return None, None
    return plane.moved(x, y)


def places_on_the_ground(latitude: float, longitude: float) -> Iterator[tuple[int, int]]:
    """Yield the place in each plane that is used there: at most one, and none abroad."""
    for plane in _PLANES:
        if plane.holds(latitude, longitude):
            yield plane.moved(*plane.projection(latitude, longitude))
