"""Names of units and signs on doors, as the register writes them: capitals, no accents, mostly."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from services.simulator.generation import mots, vocabulary
from services.simulator.generation.dice import Dice
from services.simulator.generation.identifiers import LA_POSTE
from services.simulator.generation.reference import DrawnCommune
from services.simulator.generation.unites import Unite

_PREFIXES = {"6540": "SCI ", "6533": "GAEC ", "6598": "EARL ", "5202": "SNC "}
_FORM_IN_NAME = re.compile("(SCI|GAEC|EARL|SARL|SCP) (DU |LE )?")
_SIGLE_LENGTH = 20


@dataclass(frozen=True, slots=True)
class Identite:
    """The names of a unit: a person's, or a denomination; the others are None."""

    sexe: str | None = None
    nom: str | None = None
    nom_usage: str | None = None
    prenoms: tuple[str, ...] = ()
    pseudonyme: str | None = None
    denomination: str | None = None
    sigle: str | None = None
    usuelle: str | None = None


@lru_cache(maxsize=4096)
def capitals(text: str) -> str:
    """Write as INSEE writes places: no accents, no ligatures, plain apostrophes."""
    apart = text.replace("œ", "oe").replace("Œ", "OE").replace("\u2019", "'")
    plain = unicodedata.normalize("NFKD", apart)
    return "".join(sign for sign in plain if not unicodedata.combining(sign)).upper()


def identite(unite: Unite, seed: int) -> Identite:
    dice = Dice(seed, "identite", unite.number)
    return _person(dice) if unite.personne_physique else _company(unite, dice)


def enseigne(unite: Unite, commune: DrawnCommune | None, dice: Dice) -> str:
    """Draw a name that suits the activity, at most 50 characters."""
    name = _fill(dice.pick(unite.metier.enseignes), commune or unite.commune, dice)
    return _FORM_IN_NAME.sub("", name)[:50].strip()


def _fill(template: str, commune: DrawnCommune, dice: Dice) -> str:
    name = template.format(
        nom=mots.draw(dice) if "{nom}" in template else "",
        prenom=dice.pick(vocabulary.names("prenoms_f" if dice.chance(500) else "prenoms_m")),
        lieu=dice.pick(vocabulary.LIEUX),
        commune=_city(commune),
        numero=1 + dice.below(120),
    )
    return _contracted(name)


def _city(commune: DrawnCommune) -> str:
    """Return the city, also of an arrondissement."""
    name = commune.nom.split()[0] if "Arrondissement" in commune.nom else commune.nom
    return capitals(name)


def _contracted(name: str) -> str:
    """Join DE and the article to DU and DES, and elide DE before a vowel."""
    joined = name.replace(" DE LE ", " DU ").replace(" DE LES ", " DES ")
    return re.sub(r"\bDE (?=[AEIOU])", "D'", joined)


def _person(dice: Dice) -> Identite:
    female = dice.chance(430)
    names = vocabulary.names("prenoms_f" if female else "prenoms_m")
    count = (1, 1, 1, 2, 2, 3, 4)[dice.below(7)]
    given = tuple(dice.pick(names) for _ in range(count))
    strange = dice.chance(5)
    return Identite(
        sexe="F" if female else "M",
        nom=dice.pick(vocabulary.STRANGE_NAMES)[:100] if strange else mots.draw(dice),
        nom_usage=mots.draw(dice) if female and dice.chance(250) else None,
        prenoms=given,
        pseudonyme=f"{given[0]} {dice.pick(vocabulary.LIEUX)}" if dice.chance(5) else None,
        usuelle=f"{given[0]} {dice.pick(vocabulary.LIEUX)}" if dice.chance(60) else None,
    )


def _company(unite: Unite, dice: Dice) -> Identite:
    if unite.siren == LA_POSTE:
        return Identite(denomination="LA POSTE")
    if unite.forme == "7210":
        return Identite(denomination=_contracted(f"COMMUNE DE {_city(unite.commune)}"))
    if dice.chance(20):
        return Identite(denomination=dice.pick(vocabulary.STRANGE_NAMES))
    name = _fill(dice.pick(unite.metier.enseignes), unite.commune, dice)
    if dice.chance(200):
        # Two words drawn apart: most names of companies say nothing about their activity.
        name = f"{mots.draw(dice)} {dice.pick(vocabulary.LIEUX)}"
    prefix = _PREFIXES.get(unite.forme, "")
    if not name.startswith(prefix or "\0"):
        name = prefix + _FORM_IN_NAME.sub("", name)
    initials = "".join(word[0] for word in name.split() if word[0].isalpha())
    return Identite(
        denomination=name[:130],
        sigle=initials[:_SIGLE_LENGTH] if len(initials) > 2 and dice.chance(120) else None,  # noqa: PLR2004 - two letters are no acronym
        usuelle=name[:70] if dice.chance(40) else None,
    )
