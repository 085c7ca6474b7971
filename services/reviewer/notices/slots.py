"""Names and places stay with us: a model writes {NOM}, and the facts are put in afterwards."""

import re
from collections.abc import Callable, Mapping

from services.reviewer.french.folding import fold
from services.reviewer.french.grammar import Lieu, de, lieu, que
from services.reviewer.french.labels import clean_name, nom_de_commune
from services.reviewer.french.phrases import numero
from shared.sirene.facts import Facts

NOM = "NOM"
COMMUNE = "COMMUNE"
SIRET = "SIRET"
ENSEIGNE = "ENSEIGNE"
DENOMINATION = "DENOMINATION"

_SLOT = re.compile(
    r"(?:(?<!\w)(?P<word>à|À|A|au|Au|aux|Aux|du|Du|des|Des|de|De|que|Que)[ \u00a0]"
    r"|(?<!\w)(?P<elided>d|D|qu|Qu)['’])?"
    r"\{(?P<slot>[A-Z]+)\}"
)
_TO = frozenset({"à", "a", "au", "aux"})
_OF = frozenset({"de", "d", "du", "des"})


def slots_of(facts: Facts) -> Mapping[str, str]:
    """The value of each slot that these facts allow."""
    nom = clean_name(facts.nom)
    found = {
        NOM: nom,
        COMMUNE: nom_de_commune(facts),
        SIRET: numero(facts.siret),
        ENSEIGNE: _other_name(facts.enseigne, nom),
        DENOMINATION: _other_name(facts.denomination, nom),
    }
    return {slot: value for slot, value in found.items() if value}


def fill(text: str, facts: Facts) -> str:
    """Put the facts in, once: a name made of slots stays a name.

    The word before a slot agrees with its value: « à {COMMUNE} » becomes « au Mans », « de {NOM} »
    « d’ATELIER DUPONT ». An unknown slot stays as it is, for the validator to find.
    """
    slots = slots_of(facts)

    def replace(match: re.Match[str]) -> str:
        value = slots.get(match["slot"])
        if value is None:
            return match.group()
        before = match["word"] or match["elided"] or ""
        if match["slot"] == COMMUNE:
            phrase = _place(before.lower(), lieu(value))
        else:
            phrase = _named(before.lower(), value)
        if phrase is None:
            return match.group().replace(f"{{{match['slot']}}}", value)
        return _capital(phrase) if before[:1].isupper() else phrase

    return _SLOT.sub(replace, text)


def _place(before: str, place: Lieu) -> str | None:
    if before in _TO:
        return place.a
    if before in _OF:
        return place.de
    return None if before else place.nom


def _named(before: str, value: str) -> str | None:
    agreements: Mapping[str, Callable[[str], str]] = {"de": de, "d": de, "que": que, "qu": que}
    agree = agreements.get(before)
    return None if agree is None else agree(value)


def _other_name(value: str | None, nom: str) -> str | None:
    """None where it only repeats the name."""
    other = clean_name(value or "")
    return None if fold(other) in fold(nom) else other


def _capital(phrase: str) -> str:
    return phrase[:1].upper() + phrase[1:]
