"""Reference tables of the register, each read once, at its first use (data/SOURCES.md)."""

import csv
import datetime as dt
import functools
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from operator import itemgetter
from sys import intern
from types import MappingProxyType
from typing import IO, NamedTuple

from shared.sirene.diffusion import KNOWN_STATUTS
from shared.sirene.values import MASKED

COG_YEAR = 2025
"""The year of the Code officiel géographique in `communes.csv`: as of its 1 January."""

# The large cities, whose establishments the register codes by arrondissement.
_ARRONDISSEMENTS = {
    "13055": range(13201, 13217),
    "69123": range(69381, 69390),
    "75056": range(75101, 75121),
}
# INSEE codes activities by it from this day on, in its own words.
NAF_2025_DAY = dt.date(2027, 1, 1)
# Older records carry the current activity without its nomenclature.
_SEARCH_ORDER = ("NAFRev2", "NAF2025", "NAFRev1", "NAF1993", "NAP")


class Commune(NamedTuple):
    nom: str
    departement: str
    region: str


@dataclass(frozen=True, slots=True)
class Departement:
    nom: str
    region: str


def _rows(file_name: str) -> Iterator[dict[str, str]]:
    with _open(file_name) as lines:
        yield from csv.DictReader(lines)


def _open(file_name: str) -> IO[str]:
    return (resources.files("shared.sirene") / "data" / file_name).open(encoding="utf-8")


@functools.cache
def _read_communes() -> tuple[Mapping[str, Commune], tuple[str, ...]]:
    """Return the communes by code, and all names. Each text stands once in memory.

    The first of several rows with one code is today's commune.
    """
    found: dict[str, Commune] = {}
    noms: dict[str, None] = {}
    with _open("communes.csv") as lines:
        rows = csv.reader(lines)
        header = next(rows)
        columns = itemgetter(*map(header.index, ("code", "nom", "departement", "region")))
        for code, nom, departement, region in map(columns, rows):
            noms.setdefault(intern(nom))
            if code not in found:
                found[code] = Commune(intern(nom), intern(departement), intern(region))
    return MappingProxyType(found), tuple(noms)


def communes() -> Mapping[str, Commune]:
    """Return today's communes by code."""
    return _read_communes()[0]


def noms_de_communes() -> Sequence[str]:
    """Return all names, those of delegated and associated communes and arrondissements too."""
    return _read_communes()[1]


@functools.cache
def departements() -> Mapping[str, Departement]:
    return MappingProxyType(
        {row["code"]: Departement(row["nom"], row["region"]) for row in _rows("departements.csv")}
    )


@functools.cache
def _activites() -> Mapping[str, Mapping[str, str]]:
    """Return the labels by nomenclature and code; then those of all, under the empty name.

    Under the empty name a code that two nomenclatures share has the label of the younger one. It
    also stands there without its dot, as some publish it.
    """
    found: dict[str, dict[str, str]] = {name: {} for name in _SEARCH_ORDER}
    for row in _rows("activites.csv"):
        found[row["nomenclature"]][row["code"]] = row["libelle"]
    every: dict[str, str] = {}
    for labels in found.values():
        for code, libelle in labels.items():
            every.setdefault(code, libelle)
            every.setdefault(code.replace(".", ""), libelle)
    return MappingProxyType({**found, "": every})


def nomenclatures() -> frozenset[str]:
    """Return the names of the nomenclatures that the tables hold."""
    return frozenset(_SEARCH_ORDER)


def is_naf_2025(code: str) -> bool:
    """Return whether the code is one of NAF 2025; it is of no other nomenclature then."""
    return code in _activites()["NAF2025"]


def libelles_de(nomenclature: str) -> Mapping[str, str]:
    """Return the labels of one nomenclature by code."""
    return MappingProxyType(dict(_activites()[nomenclature]))


@functools.cache
def libelles_d_activite() -> frozenset[str]:
    """Return all labels of all nomenclatures that a record may still carry."""
    return frozenset().union(*(labels.values() for labels in _activites().values()))


@functools.cache
def _libelles(table: str) -> Mapping[str, str]:
    return MappingProxyType({row["code"]: row["libelle"] for row in _rows(f"{table}.csv")})


def departement_of(code_commune: str | None) -> str | None:
    """Return the département by the code alone: a commune that was merged away keeps it.

    Overseas codes (97, 98) give three characters, Corsica gives 2A and 2B.
    """
    if code_commune is None:
        return None
    departement = code_commune[: 3 if code_commune.startswith(("97", "98")) else 2]
    return departement if departement in departements() else None


@functools.lru_cache(maxsize=50_000)
def departement_et_region(code_commune: str) -> tuple[str, str]:
    """Return département and region of a commune; empty where its code tells none."""
    departement = departement_of(code_commune or None)
    return departement or "", region_of(departement) or ""


CODED_FIELDS = (
    "activite_principale",
    "nomenclature_activite_principale",
    "categorie_juridique",
    "tranche_effectifs",
    "code_commune",
    "etat_administratif",
    "statut_diffusion",
)
"""The columns whose codes the tables should know."""


@functools.cache
def known_codes() -> Mapping[str, frozenset[str | None]]:
    """Return the codes that the tables know, by the column that holds them; nothing is known, too.

    `00.00Z` is INSEE's code of an activity that is not yet known.
    """
    known: tuple[Iterable[str], ...] = (
        [*_activites()[""], "00.00Z"],
        nomenclatures(),
        _libelles("categories_juridiques"),
        _libelles("tranches_effectifs"),
        communes(),
        "AFC",
        KNOWN_STATUTS,
    )
    nothing = (None, "", MASKED)
    return MappingProxyType(
        {
            field: frozenset([*codes, *nothing])
            for field, codes in zip(CODED_FIELDS, known, strict=True)
        }
    )


def load() -> None:
    """Read the tables now, not with the first record."""
    _activites(), communes(), departements()
    known_codes(), _types_de_voie()


def region_of(departement: str | None) -> str | None:
    found = None if departement is None else departements().get(departement)
    return None if found is None else found.region


def libelle_activite(code: str | None, nomenclature: str | None) -> str | None:
    """Return the label that the code has, whatever name INSEE gives the nomenclature.

    NAF 2025 and NAF rev. 2 share no code. Older ones share some with one another: there the name
    decides where it is one that the tables know.
    """
    if code is None:
        return None
    every = _activites()
    own = every.get(nomenclature or "", every[""])
    return own.get(code) or every[""].get(code)


def libelle_commune(code: str | None) -> str | None:
    """Return INSEE's present spelling, with accents; None for a code no longer in use."""
    commune = communes().get(code) if code is not None else None
    return None if commune is None else commune.nom


def arrondissements_of(code_commune: str) -> list[str]:
    """Return the codes of the arrondissements of Marseille, Lyon and Paris; none of any other."""
    return [str(code) for code in _ARRONDISSEMENTS.get(code_commune, ())]


def libelle_categorie_juridique(code: str | None) -> str | None:
    return None if code is None else _libelles("categories_juridiques").get(code)


@functools.cache
def _types_de_voie() -> Mapping[str, str]:
    """Return the labels by code, and by themselves in capitals: records have either."""
    labels = _libelles("types_de_voie")
    return MappingProxyType({**{_plain(label): label for label in labels.values()}, **labels})


def libelle_type_voie(type_voie: str) -> str | None:
    """Return the type of street in full; None for one that the table does not have."""
    return _types_de_voie().get(_plain(type_voie))


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.upper())
    return decomposed.encode("ascii", "ignore").decode().replace("-", " ")


def libelle_effectif(tranche: str | None) -> str | None:
    """Return the label of a headcount; None for NN, which means unknown."""
    if tranche is None or tranche == "NN":
        return None
    return _libelles("tranches_effectifs").get(tranche)
