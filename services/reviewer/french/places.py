"""The place of an establishment in a sentence, with its département: « à Vannes (Morbihan) »."""

from dataclasses import dataclass

from services.reviewer.french.folding import fold
from services.reviewer.french.grammar import lieu
from services.reviewer.french.labels import nom_de_commune, split_arrondissement
from shared.sirene.facts import Facts
from shared.sirene.reference import departements


@dataclass(frozen=True, slots=True)
class ToldPlace:
    """`first` tells the département too, for the first mention: 1 577 communes share a name.

    `kind` is the noun of the place, with its article.
    """

    first: str
    again: str
    kind: str


def place_of(facts: Facts) -> ToldPlace | None:
    commune = nom_de_commune(facts)
    if commune is None:
        return None
    again = lieu(commune).a
    arrondissement = split_arrondissement(commune)
    town = commune if arrondissement is None else arrondissement[0]
    area = _area(facts)
    first = again
    if area is not None and fold(area) != fold(town):
        inner = f", {area})" if again.endswith(")") else f" ({area})"
        first = again.removesuffix(")") + inner
    return ToldPlace(first, again, "la commune" if arrondissement is None else "l’arrondissement")


def _area(facts: Facts) -> str | None:
    departement = departements().get(facts.departement or "")
    return None if departement is None else departement.nom.replace("'", "’")
