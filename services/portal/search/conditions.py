"""Filters as conditions on columns, and as lexemes beside words. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.portal.search.engine import Filters, Near
from services.portal.search.terms import AnyOf, Lexeme, NoneOf, Terms
from shared.search.entries import CLOSED, SIEGE
from shared.search.planes import places_on_the_ground
from shared.sirene.reference import arrondissements_of

_DIVISION_DIGITS = 2
_METRES = 1000
Values = Sequence[object]


class RowCondition(NamedTuple):
    """A condition on a row of `search_entries`, with the values of its marks."""

    sql: str
    values: Values


class Circle(NamedTuple):
    """A circle in the planes of the index; `x` and `y` are None where no plane is known."""

    x: int | None
    y: int | None
    radius: float

    @classmethod
    def of(cls, near: Near) -> "Circle":
        for x, y in places_on_the_ground(near.latitude, near.longitude):
            return cls(x, y, near.radius_km * _METRES)
        return cls(None, None, 0)

    def condition(self) -> RowCondition:
        if self.x is None:
            return RowCondition("false", ())
        return RowCondition(
            "x IS NOT NULL AND point(x, y) <@ circle(point(%s, %s), %s)",
            (self.x, self.y, self.radius),
        )


def codes_of(filters: Filters) -> Sequence[str]:
    """Return the codes of communes that establishments have: arrondissements, too."""
    return [each for code in filters.code_commune for each in (code, *arrondissements_of(code))]


def divisions_of(filters: Filters) -> tuple[Sequence[str], Sequence[str]]:
    """Return the whole codes of activities, then the divisions."""
    codes = [code for code in filters.activite_principale if len(code) > _DIVISION_DIGITS]
    return codes, [code for code in filters.activite_principale if code not in codes]


def conditions_of(filters: Filters) -> Iterator[RowCondition]:
    """Yield the conditions that a row meets."""
    for column, wanted in (
        ("code_commune", codes_of(filters)),
        ("code_postal", filters.code_postal),
        ("departement", filters.departement),
        ("region", filters.region),
        ("tranche_effectifs", filters.tranche_effectifs),
        ("categorie_juridique", filters.categorie_juridique),
    ):
        if wanted:
            yield among(column, wanted)
    codes, divisions = divisions_of(filters)
    parts = [among("activite_principale", codes)] if codes else []
    parts += [among("left(activite_principale, 2)", divisions)] if divisions else []
    if parts:
        sql = " OR ".join(part.sql for part in parts)
        yield RowCondition(f"({sql})", [value for part in parts for value in part.values])
    if filters.etat is not None:
        yield RowCondition("open" if filters.etat == "A" else "NOT open", ())
    if filters.siege is not None:
        yield RowCondition("siege" if filters.siege else "NOT siege", ())


def among(column: str, wanted: Sequence[str]) -> RowCondition:
    """Return the condition that the column has one of the values.

    One alone is compared: rows then come in the order of an index.
    """
    if len(wanted) == 1:
        return RowCondition(f"{column} = %s", tuple(wanted))
    return RowCondition(f"{column} = ANY(%s)", (list(wanted),))


def joined(conditions: Sequence[RowCondition]) -> RowCondition:
    """Return the condition that all of them are met."""
    sql = " AND ".join(condition.sql for condition in conditions) or "true"
    return RowCondition(sql, [value for condition in conditions for value in condition.values])


def lexemes_of(filters: Filters) -> Iterator[Terms]:
    """Yield the terms of each filter, as the entries have it among their lexemes."""
    for prefix, wanted in (
        ("c", codes_of(filters)),
        ("d", filters.departement),
        ("r", filters.region),
        ("n", filters.activite_principale),
        ("t", filters.tranche_effectifs),
        ("j", filters.categorie_juridique),
    ):
        if wanted:
            yield any_of(prefix, wanted)
    if filters.code_postal:
        # It is a word of the place.
        yield AnyOf([Lexeme(code, "C") for code in filters.code_postal])
    if filters.etat is not None:
        yield _flag(CLOSED, holds=filters.etat == "F")
    if filters.siege is not None:
        yield _flag(SIEGE, holds=filters.siege)


def any_of(prefix: str, wanted: Sequence[str]) -> AnyOf:
    return AnyOf([Lexeme(f"{prefix}={value}") for value in wanted])


def _flag(lexeme: str, *, holds: bool) -> Terms:
    return Lexeme(lexeme) if holds else NoneOf(Lexeme(lexeme))
