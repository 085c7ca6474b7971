"""Addresses in the two forms that INSEE writes: before and after the address base."""

from functools import cache

from services.simulator.generation import reference, vocabulary
from services.simulator.generation.dice import Dice
from services.simulator.generation.etablissements import InventedEtablissement
from services.simulator.generation.noms import capitals
from services.simulator.generation.reference import DrawnCommune
from services.simulator.record import Draft


@cache
def _empty(block: str) -> Draft:
    return {variable.nom: None for variable in reference.variables() if variable.bloc == block}


def second_address() -> Draft:
    """Return an empty block: INSEE still sends it, and no longer fills it."""
    return dict(_empty("adresse2Etablissement"))


def address(etablissement: InventedEtablissement, dice: Dice) -> Draft:
    if etablissement.commune is None:
        return _named(_abroad(dice))
    commune = etablissement.commune
    modern = dice.chance(620)
    parts: Draft = {"codeCommune": commune.code}
    parts["libelleCommune"] = _commune_name(commune, modern)
    if commune.departement != "978":  # Saint-Martin has a postcode that INSEE does not give
        parts["codePostal"] = dice.pick(commune.codes_postaux) if commune.codes_postaux else None
    parts["complementAdresse"] = dice.pick(vocabulary.COMPLEMENTS) if dice.chance(140) else None
    _add_street(parts, modern, dice)
    if modern:
        _add_location(parts, commune, dice)
    elif dice.chance(30):
        parts["codeCedex"] = f"{commune.code[:2]}{900 + dice.below(90)}"
        parts["libelleCedex"] = f"{parts['libelleCommune']} CEDEX"
    return _named(parts)


def _named(parts: Draft) -> Draft:
    block = dict(_empty("adresseEtablissement"))
    for name, value in parts.items():
        block[f"{name}Etablissement"] = value
    return block


def _add_street(parts: Draft, modern: bool, dice: Dice) -> None:
    if dice.chance(70):
        parts["libelleVoie"] = dice.pick(vocabulary.LIEUX_DITS)
        return
    short, label = dice.pick(vocabulary.TYPES_DE_VOIE)
    parts["typeVoie"] = label if modern else short
    parts["libelleVoie"] = dice.pick(vocabulary.VOIES)
    if dice.chance(930):
        number = 1 + dice.below(40 if dice.chance(700) else 300)
        parts["numeroVoie"] = str(number)
        if dice.chance(50):
            parts["indiceRepetition"] = dice.pick(("B", "T", "BIS", "A"))
        if modern and dice.chance(40):
            parts["dernierNumeroVoie"] = str(number + 2)


def _add_location(parts: Draft, commune: DrawnCommune, dice: Dice) -> None:
    if dice.chance(60):
        return
    register = "B" if dice.chance(940) else "C"
    parts["identifiantAdresse"] = f"{commune.code}{dice.below(10_000):04d}_{register}"
    middle = _middle_of(commune.code, commune.departement)
    if middle is not None:
        for name, metres in zip(("Abscisse", "Ordonnee"), middle, strict=True):
            place = metres - 1500 + dice.below(3000) + dice.below(10**10) / 10**10
            parts[f"coordonneeLambert{name}"] = repr(place)[:18]


@cache
def _middle_of(code: str, departement: str) -> tuple[float, float] | None:
    """Draw a place in the département, the same for the whole commune."""
    centre = reference.centre_of(departement)
    if centre is None:
        return None
    dice = Dice(0, f"commune {code}", 0)
    width = 3000 if departement in {"75", "92", "93", "94", "90"} else 28_000
    return tuple(metres - width + dice.below(2 * width) for metres in centre)  # type: ignore[return-value] # two stay two


@cache
def _commune_name(commune: DrawnCommune, modern: bool) -> str:
    """Write `PARIS`, or `PARIS 7` in older rows; only the address base has hyphens."""
    if "Arrondissement" in commune.nom:
        city, number = commune.nom.split()[:2]
        digits = "".join(sign for sign in number if sign.isdigit())
        return city.upper() if modern else f"{city.upper()} {digits}"
    name = capitals(commune.nom)
    return name if modern else name.replace("-", " ")


def _abroad(dice: Dice) -> Draft:
    code, pays, ville = dice.pick(vocabulary.PAYS)
    return {
        "numeroVoie": str(1 + dice.below(200)),
        "libelleVoie": dice.pick(("MAIN STREET", "AVENUE LOUISE", "VIA ROMA", "HAUPTSTRASSE")),
        "libelleCommuneEtranger": ville,
        "codePaysEtranger": code,
        "libellePaysEtranger": pays,
    }
