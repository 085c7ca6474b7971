"""Slots such as {NOM}: a model never sees a name or place, they are put in afterwards."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from services.reviewer.french.data import regions
from services.reviewer.french.folding import fold
from services.reviewer.french.grammar import Lieu, capital, de, lieu, que
from services.reviewer.french.labels import clean_name, nom_de_commune
from services.reviewer.french.names import shown, shown_name
from services.reviewer.french.phrases import activite, effectif, forme, numero
from shared.sirene.facts import Facts
from shared.sirene.reference import departements

NOM = "NOM"
COMMUNE = "COMMUNE"
SIRET = "SIRET"
ENSEIGNE = "ENSEIGNE"
DENOMINATION = "DENOMINATION"
VOIE = "VOIE"
CODE_POSTAL = "CODE_POSTAL"
DEPARTEMENT = "DEPARTEMENT"
REGION = "REGION"
ANCIENNE_ENSEIGNE = "ANCIENNE_ENSEIGNE"
PREDECESSEUR = "PREDECESSEUR"
"""The commune that the unit left."""
_PLACES = frozenset({COMMUNE, PREDECESSEUR})

_SLOT = re.compile(
    r"(?:(?<!\w)(?P<word>à|À|A|au|Au|aux|Aux|du|Du|des|Des|de|De|que|Que)[ \u00a0]"
    r"|(?<!\w)(?P<elided>d|D|qu|Qu)['’])?"
    r"\{(?P<slot>[A-Z_]+)\}"
)
_TO = frozenset({"à", "a", "au", "aux"})
_OF = frozenset({"de", "d", "du", "des"})


def slots_of(facts: Facts) -> Mapping[str, str]:
    """Return the value of each slot that these facts can fill."""
    nom = shown_name(facts)
    found = {
        NOM: nom,
        COMMUNE: nom_de_commune(facts),
        SIRET: numero(facts.siret),
        ENSEIGNE: other_name(facts.enseigne, facts),
        DENOMINATION: other_name(facts.denomination, facts),
        VOIE: clean_name(facts.voie or ""),
        CODE_POSTAL: facts.code_postal,
        **dict(_of_history(facts)),
        **dict(_values(facts)),
    }
    return {slot: value for slot, value in found.items() if value}


def _of_history(facts: Facts) -> Iterator[tuple[str, str | None]]:
    for former in facts.context.former_enseignes[:1]:
        yield ANCIENNE_ENSEIGNE, shown(former.value, facts)
    for link in facts.context.predecessors[:1]:
        if link.same_unit:
            left = replace(facts, commune=link.commune, code_commune=None)
            yield PREDECESSEUR, nom_de_commune(left)


def _values(facts: Facts) -> Iterator[tuple[str, str | None]]:
    """Yield facts whose value a model knows: some write their slots all the same."""
    form, activity = forme(facts), activite(facts)
    yield "FORME", None if form is None else form.libelle
    yield "ACTIVITE", None if activity is None else activity.intitule
    yield "ANNEE", None if facts.annee_creation is None else str(facts.annee_creation)
    unit = facts.unite_date_creation
    yield "ANNEE_UNITE", None if unit is None else str(unit.year)
    yield "EFFECTIF", effectif(facts.tranche_effectifs)
    yield "EFFECTIF_UNITE", effectif(facts.unite_tranche_effectifs)
    departement = departements().get(facts.departement or "")
    yield DEPARTEMENT, None if departement is None else departement.nom
    region = regions().get(facts.region or ("" if departement is None else departement.region))
    yield REGION, None if region is None else region.nom


def fill(text: str, facts: Facts) -> str:
    """Put the facts into the slots, in one pass: a name made of slots stays a name.

    The word before a slot agrees with its value: « à {COMMUNE} » becomes « au Mans », « de {NOM} »
    « d’ATELIER DUPONT ». An unknown slot stays as it is, for the validator to find.
    """
    slots = slots_of(facts)

    def put(match: re.Match[str]) -> str:
        value = slots.get(match["slot"])
        if value is None:
            return match.group()
        before = match["word"] or match["elided"] or ""
        if match["slot"] in _PLACES:
            phrase = _place(before.lower(), lieu(value))
        else:
            phrase = _named(before.lower(), value)
        if phrase is None:
            return match.group().replace(f"{{{match['slot']}}}", value)
        return capital(phrase) if before[:1].isupper() else phrase

    return _SLOT.sub(put, text)


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


def other_name(value: str | None, facts: Facts) -> str | None:
    """Return the name as it is shown; None where it only repeats the establishment's."""
    other = shown(value or "", facts)
    return None if fold(other) in fold(shown_name(facts)) else other
