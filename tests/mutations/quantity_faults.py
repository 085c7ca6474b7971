"""Faulty texts: another headcount, status, number or year than the facts have."""

import random
import re
from dataclasses import replace

from shared.sirene.reference import libelle_effectif
from tests.mutations.bases import YEAR, Base, retold
from tests.mutations.edits import Mutate, swap

_LETTERED = {
    4: "quatre",
    7: "sept",
    8: "huit",
    12: "douze",
    15: "quinze",
    30: "trente",
    40: "quarante",
    60: "soixante",
    300: "trois cents",
    1500: "mille cinq cents",
}
_HEADCOUNTS = (
    "Elle emploie {} salariés.",
    "L’effectif est de {} salariés.",
    "Elle compte {} personnes.",
    "{} salariés y travaillent.",
    "L’équipe réunit {} collaborateurs.",
    "Ils sont {} à y travailler.",
    "C’est une équipe de {} personnes.",
    "Elle fait travailler {} employés.",
    "Son effectif s’élève à {} personnes.",
)
_ROUGH = (
    "Une trentaine de personnes y travaillent.",
    "Elle emploie plusieurs centaines de salariés.",
    "Une quarantaine d’employés y exercent.",
    "Elle emploie des milliers de salariés.",
    "Plusieurs dizaines de collaborateurs y travaillent.",
    "Son effectif dépasse la centaine.",
)
_NOBODY = (
    "Elle n’emploie personne.",
    "Elle ne compte aucun salarié.",
    "Elle fonctionne sans salarié.",
    "Elle n’a pas d’employé.",
    "Personne n’y est salarié.",
    "Elle n’emploie aucun collaborateur.",
)


def headcount_free(base: Base, *values: int) -> bool:
    """Return the values that are no fact of this text, not even by chance."""
    numbers = {int(one) for one in re.findall(r"\d+", f"{base.facts.effectif}")}
    return numbers.isdisjoint(values)


def other_headcount(base: Base, chosen: random.Random) -> str | None:
    value = chosen.choice(sorted(_LETTERED))
    if not headcount_free(base, value):
        return None
    word = _LETTERED[value] if chosen.random() < 0.5 else str(value)
    added = chosen.choice(_HEADCOUNTS).format(word)
    return f"{base.text} {added[0].upper()}{added[1:]}"


def rough_headcount(base: Base, chosen: random.Random) -> str:
    return f"{base.text} {chosen.choice(_ROUGH)}"


def no_headcount(base: Base, chosen: random.Random) -> str | None:
    if "aucun" in (base.facts.effectif or "").lower() or base.facts.tranche_effectifs == "00":
        return None
    return f"{base.text} {chosen.choice(_NOBODY)}"


def other_tranche(base: Base, chosen: random.Random) -> str | None:
    others = ("01", "02", "03", "11", "12", "21", "22", "41")
    tranche = chosen.choice([one for one in others if one != base.facts.tranche_effectifs])
    if not base.facts.siret:
        return None
    changed = replace(
        base.facts,
        tranche_effectifs=tranche,
        effectif=libelle_effectif(tranche),
        annee_effectifs=YEAR - 2,
    )
    return retold(base, changed)


def other_seat(base: Base, chosen: random.Random) -> str | None:
    if not base.facts.siret:
        return None
    if base.facts.est_siege:
        added: tuple[str, ...] = (
            "Il s’agit d’un établissement secondaire.",
            "C’est une succursale.",
            "C’est une filiale.",
            "Cet établissement est une annexe.",
        )
    else:
        added = (
            "C’est le siège de l’entreprise.",
            "Son siège se trouve ici.",
            "Il s’agit de l’établissement principal.",
        )
    return f"{base.text} {chosen.choice(added)}"


_NUMBERED = (
    "Elle dispose de {} véhicules.",
    "Elle occupe {} m².",
    "Elle existe depuis {} ans.",
    "Elle compte {} ateliers.",
    "Son capital est de {} euros.",
    "Elle dispose de {} chambres.",
    "Elle réunit {} agences.",
    "Elle a servi {} clients.",
    "Elle possède {} machines.",
    "Elle est ouverte {} jours par an.",
    "Elle gère {} logements.",
    "Elle a livré {} commandes.",
)
_VALUES = (
    "17",
    "450",
    "dix-sept",
    "vingt-trois",
    "quatre-vingt-douze",
    "1 250",
    "trente-cinq",
    "une vingtaine de",
    "deux cent cinquante",
    "une soixantaine de",
    "soixante-quinze",
    "88",
    "12,5",
    "10000",
    "3,7",
    "mille",
    "huit mille",
    "2 500",
    "cent vingt",
    "XIV",
)


def other_number(half: int) -> Mutate:
    def number(base: Base, chosen: random.Random) -> str | None:
        value = chosen.choice(_VALUES[half::2])
        facts = base.facts
        said = f"{facts.effectif} {facts.activite} {facts.annee_creation} {facts.departement}"
        if any(digits in said for digits in re.findall(r"\d+", value)):
            return None
        return f"{base.text} {chosen.choice(_NUMBERED[half::2]).format(value)}"

    return number


def other_year(base: Base, chosen: random.Random) -> str | None:
    year = base.facts.annee_creation
    other = str(chosen.choice([one for one in range(1950, 2026) if one != year]))
    if year is None:
        pattern = chosen.choice(("Elle a été créée en {}.", "Elle existe depuis {}."))
        return f"{base.text} {pattern.format(other)}"
    return swap(base.text, str(year), other)
