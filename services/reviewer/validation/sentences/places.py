"""Adjectives of a place: the inhabitants' name of the commune, its département or its region."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.reviewer.french.data import read_lines, regions
from services.reviewer.french.folding import fold
from services.reviewer.french.labels import split_arrondissement
from shared.sirene.reference import departements

_ENDINGS = (
    *"""ais aise aises ois oise oises ien ienne iens iennes éen éenne éens éennes ain aine ains
    aines in ine ins ines ard arde ards ardes ane anes encais encaise""".split(),  # noqa: SIM905 a word list
)
# Words of other things that begin like a place: Bourg makes nobody bourgeois.
_ORDINARY = (
    *"""américain ancien bourgeois certain chrétien féminin humain italien marin médecin moyen
    paroissien prochain quotidien romain souverain urbain vilain voisin""".split(),  # noqa: SIM905 a word list
)
_LEAST_SHARED = 4
_LEAST_BARE = 3
_ARTICLES = ("le ", "la ", "les ", "l'", "saint-", "sainte-")


@dataclass(frozen=True, slots=True)
class Adjectives:
    """`roots` are beginnings of adjectives, `whole` are whole ones."""

    roots: tuple[str, ...]
    whole: frozenset[str]

    def has(self, word: str) -> bool:
        if word in self.whole or fold(word) in self.whole:
            return not word.startswith(_ORDINARY)
        if not word.endswith(_ENDINGS) or not fold(word).startswith(self.roots):
            return False
        return not word.startswith(_ORDINARY)


@dataclass(frozen=True, slots=True)
class LocalAdjectives:
    commune: Adjectives
    wider: Adjectives

    def place_of(self, word: str) -> str | None:
        """Return the symbol of the place whose adjective, in small letters, the word is."""
        if self.commune.has(word):
            return "<communal>"
        return "<regional>" if self.wider.has(word) else None


@functools.lru_cache(maxsize=4096)
def places_of(commune: str | None, departement: str | None) -> LocalAdjectives:
    known = departements().get(departement or "")
    region = regions().get(known.region) if known is not None else None
    wider = _gentiles().get(fold(known.nom), frozenset()) if known is not None else frozenset()
    return LocalAdjectives(
        Adjectives(_roots(commune), _whole(_town(commune))),
        Adjectives(
            _roots(known.nom if known is not None else None),
            wider | (region.adjectives if region is not None else frozenset()),
        ),
    )


def _whole(town: str) -> frozenset[str]:
    """Return the known adjectives, and those that a silent ending makes: Nîmes is nîmois."""
    name = fold(town)
    bare = name.removesuffix("s").removesuffix("e")
    made = (bare + ending for ending in _ENDINGS if bare != name and len(bare) >= _LEAST_BARE)
    return _gentiles().get(name, frozenset()).union(made)


def _town(name: str | None) -> str:
    arrondissement = split_arrondissement(name or "")
    return (name or "") if arrondissement is None else arrondissement[0]


def _roots(name: str | None) -> tuple[str, ...]:
    plain = fold(_town(name))
    for article in _ARTICLES:
        plain = plain.removeprefix(article)
    parts = re.split(r"[-' ]", plain)
    word = parts[0]
    whole = "-".join(parts[:2]) if len(parts) > 1 else word
    saint = fold(_town(name)) if fold(_town(name)).startswith("saint-") else ""
    return tuple(
        root[: max(_LEAST_SHARED, len(root) - 2)]
        for root in dict.fromkeys((word, whole, saint))
        if len(root) >= _LEAST_SHARED
    )


@functools.cache
def _gentiles() -> Mapping[str, frozenset[str]]:
    found = {}
    for line in read_lines("gentiles.txt"):
        name, _, words = line.partition(";")
        forms = set()
        for word in words.split():
            masculine, _, ending = word.partition("/")
            feminine = ending if len(ending) > 2 else masculine + ending  # noqa: PLR2004 « e », « ne »
            forms |= {masculine, feminine, f"{masculine.removesuffix('s')}s", f"{feminine}s"}
        found[fold(name)] = frozenset(forms)
    return MappingProxyType(found)
