"""The reference tables of the generator, kept in data/ (sources: data/SOURCES.md)."""

import csv
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

from services.simulator.errors import BadOptionError
from services.simulator.generation.dice import Dice

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class DrawnCommune:
    code: str
    nom: str
    departement: str
    population: int
    codes_postaux: tuple[str, ...]


class CommuneMap:
    """Communes in the order of their codes, drawn in proportion to their population."""

    def __init__(self, communes: Sequence[DrawnCommune]) -> None:
        self.communes = tuple(communes)
        self._ends = list(accumulate(commune.population for commune in communes))
        self._departements: dict[str, tuple[int, int]] = {}
        for commune, end in zip(self.communes, self._ends, strict=True):
            start, _ = self._departements.get(commune.departement, (end - commune.population, 0))
            self._departements[commune.departement] = (start, end)

    def draw(self, dice: Dice) -> DrawnCommune:
        return self._at(dice.below(self._ends[-1]))

    def draw_within(self, departement: str, dice: Dice) -> DrawnCommune:
        start, end = self._departements[departement]
        return self._at(start + dice.below(end - start))

    def _at(self, inhabitant: int) -> DrawnCommune:
        return self.communes[bisect_right(self._ends, inhabitant)]


def rows(name: str) -> Iterator[Mapping[str, str]]:
    """Read a table of data/, one mapping of columns to texts for each row."""
    with (DATA / name).open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


@cache
def every_commune() -> Sequence[DrawnCommune]:
    return [
        DrawnCommune(
            row["code"],
            row["nom"],
            row["departement"],
            int(row["population"]),
            tuple(row["codes_postaux"].split()),
        )
        for row in rows("communes.csv")
    ]


def communes(departements: Sequence[str] = ()) -> CommuneMap:
    """Return the communes of these départements, or of all of them.

    Paris, Marseille and Lyon are there as their arrondissements, as INSEE codes them. Raises
    BadOptionError for a département that is unknown.
    """
    every = every_commune()
    unknown = set(departements) - {commune.departement for commune in every}
    if unknown:
        raise BadOptionError(f"unknown département: {', '.join(sorted(unknown))}")
    return CommuneMap([c for c in every if not departements or c.departement in departements])


@cache
def naf_2025_by_naf() -> Mapping[str, str]:
    """Map each NAF Rev2 sub-class to the nearest of NAF 2025."""
    return {row["code"]: row["naf_2025"] for row in rows("naf.csv")}


@cache
def older_activities(nomenclature: str) -> Sequence[str]:
    """List the codes of `NAFRev1` or `NAP`; NAF 1993 codes are nearly those of NAF Rev1."""
    return [r["code"] for r in rows("naf_anciennes.csv") if r["nomenclature"] == nomenclature]


@cache
def centre_of(departement: str) -> tuple[float, float] | None:
    """Return the rough centre in metres of INSEE's projection there; None where it has none."""
    for row in rows("centres.csv"):
        if row["departement"] == departement:
            return float(row["x"]), float(row["y"])
    return None


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the register as INSEE's dictionary describes it.

    `masque` says whose value partial diffusion hides: "PP" that of natural persons, "PM+PP" of
    all, "" of nobody.
    """

    bloc: str
    nom: str
    nature: str
    nullable: bool = False
    masque: str = ""
    historise: bool = False


@cache
def variables() -> Sequence[Variable]:
    return [
        Variable(
            *(row["bloc"], row["nom"], row["type"]),
            nullable=row["nullable"] == "1",
            masque=row["masque"],
            historise=row["historise"] == "1",
        )
        for row in rows("variables.csv")
    ]
