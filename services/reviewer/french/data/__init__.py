"""Tables that only the reviewer needs, each read once, at its first use. Sources: SOURCES.md."""

import csv
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Literal

from services.reviewer.french.folding import fold, stem


@dataclass(frozen=True, slots=True)
class FormeJuridique:
    """`libelle` is lower-case and without article: "société à responsabilité limitée (SARL)"."""

    code: str
    genre: Literal["m", "f"]
    libelle: str


def _rows(file_name: str) -> Iterator[dict[str, str]]:
    text = (resources.files(__name__) / file_name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


@functools.cache
def formes_juridiques() -> Mapping[str, FormeJuridique]:
    forms = {
        row["code"]: FormeJuridique(
            row["code"], "f" if row["genre"] == "f" else "m", row["libelle"]
        )
        for row in _rows("formes_juridiques.csv")
    }
    return MappingProxyType(forms)


@functools.cache
def vocabulaire() -> frozenset[str]:
    """Folded words, as `services.reviewer.french.folding.stem` gives them."""
    return frozenset(map(stem, _words("vocabulaire.txt")))


@functools.cache
def metiers() -> Mapping[str, frozenset[str]]:
    """The stems of a trade's everyday names, by the beginning of its NAF rev. 2 code."""
    text = (resources.files(__name__) / "metiers.txt").read_text(encoding="utf-8")
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return MappingProxyType(
        {code: frozenset(stem(fold(name)) for name in names) for code, *names in rows}
    )


@functools.cache
def prenoms() -> frozenset[str]:
    """Folded first names."""
    return _words("prenoms.txt")


def _words(file_name: str) -> frozenset[str]:
    text = (resources.files(__name__) / file_name).read_text(encoding="utf-8")
    return frozenset(
        word for line in text.splitlines() if not line.startswith("#") for word in line.split()
    )
