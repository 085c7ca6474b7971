"""Number and street of an address, as a reader writes them. Pure."""

import re

from shared.sirene.names import display_form
from shared.sirene.names.lexicon import fold
from shared.sirene.reference import libelle_type_voie
from shared.sirene.values import MASKED

_REPETITIONS = {"B": "bis", "T": "ter", "Q": "quater"}
_CONNECTING = frozenset(
    ["DE", "DU", "DES", "D", "LA", "LE", "LES", "L", "AU", "AUX", "A", "ET", "EN", "SUR", "SOUS"]
)
_PARTICLES = re.compile(r"(?:(?:DE|DU|DES|LA|LE|LES|AU|AUX)(?![^\W_])|[DL]['’])", re.IGNORECASE)
_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août"),
    *("septembre", "octobre", "novembre", "décembre"),
)
_MONTH_OF = {fold(month): month for month in _MONTHS}
_DATE = re.compile(rf"(?<=\d )({'|'.join(_MONTH_OF)})\b", re.IGNORECASE)
_ELISION = re.compile(r"\b([DL])[ ](?=[AEIOUYÀÂÉÈÊÎÔ])", re.IGNORECASE)


def street_of(
    numero: str | None,
    repetition: str | None,
    type_voie: str | None,
    libelle: str | None,
    code_commune: str | None = None,
) -> str | None:
    """Return "12 bis rue des Tilleuls"; None without a street, or with an unknown type of street.

    A word whose accents are unsure keeps its capitals.
    """
    if libelle is None or MASKED in libelle:
        return None
    name = _name(libelle, code_commune)
    if type_voie is not None:
        kind = libelle_type_voie(type_voie)
        if kind is None:
            return None
        name = f"{kind[:1].lower()}{kind[1:]} {_small(name)}"
    return " ".join([*_number(numero, repetition), name])


def _number(numero: str | None, repetition: str | None) -> list[str]:
    if numero is None or not numero.strip("0"):
        return []
    if repetition is None:
        return [numero]
    return [numero, _REPETITIONS.get(repetition) or _written(repetition)]


def _written(repetition: str) -> str:
    return repetition if len(repetition) == 1 else repetition.lower()


def _name(libelle: str, code_commune: str | None) -> str:
    name = display_form(libelle, code_commune=code_commune)
    if name == name.upper():
        words = name.split()
        name = " ".join([word.lower() if fold(word) in _CONNECTING else word for word in words])
    name = _DATE.sub(lambda found: _MONTH_OF[fold(found[1])], name)
    return _ELISION.sub(lambda found: f"{found[1]}'", name)


def _small(name: str) -> str:
    """Return the name with a small first letter where it begins with an article or « de »."""
    return name[0].lower() + name[1:] if _PARTICLES.match(name) else name
