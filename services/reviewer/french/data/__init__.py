"""French tables, each read once, at its first use. SOURCES.md names their sources."""

import csv
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Literal

from services.reviewer.french.folding import stem

Genre = Literal["m", "f"]


@dataclass(frozen=True, slots=True)
class FormeJuridique:
    """`libelle` is lower-case and without article: "société à responsabilité limitée (SARL)"."""

    code: str
    genre: Genre
    libelle: str


def read_lines(file_name: str) -> list[str]:
    """Return the lines of a table, without those that begin with #."""
    text = (resources.files(__name__) / file_name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


@functools.cache
def formes_juridiques() -> Mapping[str, FormeJuridique]:
    forms = {
        row["code"]: FormeJuridique(
            row["code"], "f" if row["genre"] == "f" else "m", row["libelle"]
        )
        for row in csv.DictReader(read_lines("formes_juridiques.csv"))
    }
    return MappingProxyType(forms)


@functools.cache
def vocabulaire() -> frozenset[str]:
    """Return the stems of the words that a notice may use."""
    return frozenset(map(stem, _words("vocabulaire.txt")))


@functools.cache
def metiers() -> Mapping[str, tuple[str, ...]]:
    """Return a trade's everyday names.

    They stand under the beginning of the trade's NAF rev. 2 code, or its whole NAF 2025 code.
    """
    rows = map(str.split, read_lines("metiers.txt"))
    return MappingProxyType({code: tuple(names) for code, *names in rows})


@dataclass(frozen=True, slots=True)
class Region:
    """`adjectives` are in both genders and numbers."""

    nom: str
    adjectives: frozenset[str]


@functools.cache
def regions() -> Mapping[str, Region]:
    """Return the regions by INSEE's code."""
    found = {}
    for line in read_lines("regions.txt"):
        code, nom, adjectives = line.split(";")
        words = adjectives.split()
        both = frozenset(words + [f"{word.removesuffix('s')}s" for word in words])
        found[code] = Region(nom, both)
    return MappingProxyType(found)


@functools.cache
def prenoms() -> frozenset[str]:
    """Return the folded first names."""
    return _words("prenoms.txt")


def _words(file_name: str) -> frozenset[str]:
    return frozenset(word for line in read_lines(file_name) for word in line.split())
