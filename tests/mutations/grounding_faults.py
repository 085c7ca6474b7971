"""Faulty texts that say more or other things than the facts."""

import functools
import random
import re
from dataclasses import replace

from services.reviewer.french.data import formes_juridiques
from shared.sirene.facts import Facts
from shared.sirene.reference import communes, libelle_activite, libelles_de
from tests.mutations.bases import Base, retold
from tests.mutations.edits import Mutate, plain, spans, swap, typo


def without_name(*others: str) -> Mutate:
    return lambda base, chosen: swap(base.text, base.facts.nom, chosen.choice(others))


def misspelt_name(base: Base, chosen: random.Random) -> str | None:
    words = [word for word in base.facts.nom.split() if len(word) > 4 and word.isalpha()]
    if not words:
        return None
    word = chosen.choice(words)
    return swap(base.text, base.facts.nom, base.facts.nom.replace(word, typo(word, chosen)))


def bare(commune: str) -> str:
    return re.sub(r"^(?:Le|La|Les) |^L['’]", "", commune.title() if commune.isupper() else commune)


def city(base: Base) -> str | None:
    if base.facts.code_commune is not None:
        nom = communes()[base.facts.code_commune].nom
    else:
        nom = base.facts.commune or ""
    short = bare(nom)
    return None if "rrondissement" in nom or len(short) < 4 else short


def without_city(base: Base, chosen: random.Random) -> str | None:
    own = city(base)
    if own is None or spans(base.facts.nom, own):
        return None
    others = ("cet endroit", "cette localité", typo(own, chosen))
    return swap(base.text, own, chosen.choice(others))


_CITIES = (
    "Lorient",
    "Toulouse",
    "Saint-Malo",
    "Dijon",
    "Aix-en-Provence",
    "Bordeaux",
    "Limoges",
    "Villeneuve-d'Ascq",
    "Charleville-Mézières",
    "Brive-la-Gaillarde",
    "Nîmes",
    "Pau",
)
_LOCATED = (
    "au Mans",
    "au Havre",
    "aux Ulis",
    "à La Baule-Escoublac",
    "à L’Isle-Adam",
    "à Dax",
    "au Creusot",
    "à Saint-Omer",
    "à Auch",
    "à Foix",
    "à Brest",
    "à Metz",
    "à Sète",
)


def another_city(base: Base, chosen: random.Random) -> str | None:
    own = city(base)
    if own is None or spans(base.facts.nom, own):
        return None
    return swap(base.text, own, chosen.choice([one for one in _CITIES if one != own]))


@functools.cache
def all_names() -> tuple[str, ...]:
    names = sorted({one.nom for one in communes().values()})
    return tuple(n for n in names if re.fullmatch(r"(?!Le |La |Les |L')[^()\d]{4,}", n))


def any_city(base: Base, chosen: random.Random) -> str | None:
    name = chosen.choice(all_names())
    if spans(base.text, name):
        return None
    pattern = chosen.choice(
        (
            "Elle intervient aussi à {}.",
            "Un autre local se trouve à {}.",
            "Son siège est à {}.",
            "Elle est installée à {}, en France.",
            "Elle a été créée à {}.",
        )
    )
    return f"{base.text} {pattern.format(name)}"


def located_city(base: Base, chosen: random.Random) -> str | None:
    place = chosen.choice(_LOCATED)
    if spans(base.text, place.split(" ", 1)[1]):
        return None
    return f"{base.text} Un second atelier se trouve {place}."


def without_activity(base: Base, _chosen: random.Random) -> str | None:
    if not base.facts.activite or not base.facts.siret:
        return None
    return retold(base, replace(base.facts, activite=None))


def vague_activity(base: Base, chosen: random.Random) -> str | None:
    commune = base.facts.commune
    return chosen.choice(
        (
            (
                f"{base.facts.nom} est une entreprise située à {commune}. Elle exerce son activité "
                "dans la commune et figure au répertoire Sirene tenu par l’Insee."
            ),
            (
                f"L’établissement {base.facts.nom} se trouve à {commune}. Il relève d’une "
                "entreprise enregistrée au répertoire Sirene, dont il constitue un établissement."
            ),
            (
                f"À {commune}, {base.facts.nom} exerce l’activité qui est déclarée au registre. "
                "Cette entreprise est immatriculée et existe encore."
            ),
        )
    )


_OTHER_ACTIVITIES = (
    "96.02B",
    "10.71A",
    "43.31Z",
    "47.75Z",
    "01.21Z",
    "85.51Z",
    "59.11C",
    "23.41Z",
    "50.10Z",
    "32.12Z",
    "95.25Z",
    "15.12Z",
    "11.01Z",
    "78.20Z",
)


def _division(libelle: str | None) -> str | None:
    codes = libelles_de("NAFRev2").items()
    return next((code[:2] for code, each in codes if each == libelle), None)


def other_activity(base: Base, chosen: random.Random) -> str | None:
    code = chosen.choice(_OTHER_ACTIVITIES)
    if not base.facts.siret or _division(base.facts.activite) == code[:2]:
        return None
    label = libelle_activite(code, "NAFRev2")
    return retold(base, replace(base.facts, activite=label))


def second_activity(base: Base, chosen: random.Random) -> str | None:
    activity = chosen.choice(
        (
            "la coiffure",
            "la plomberie",
            "la boulangerie",
            "la menuiserie",
            "la maçonnerie",
            "l’imprimerie",
            "la restauration rapide",
            "l’élevage de chevaux",
            "la pêche en mer",
            "le transport de fret",
            "la location de voitures",
            "le commerce de détail de chaussures",
        )
    )
    if plain(activity)[-5:] in plain(f"{base.facts.activite} {base.facts.nom}"):
        return None
    pattern = chosen.choice(
        (
            "Son activité est {}.",
            "Elle exerce aussi {}.",
            "Elle a pour métier {}.",
            "Elle est spécialisée dans {}.",
            "Elle assure également {}.",
        )
    )
    return f"{base.text} {pattern.format(activity)}"


_FORMS = {
    "5710": ("SAS", "société par actions simplifiée"),
    "5499": ("SARL", "société à responsabilité limitée"),
    "5599": ("SA", "société anonyme"),
    "6540": ("SCI", "société civile immobilière"),
    "9220": ("association", "association déclarée"),
    "6533": ("GAEC", "groupement agricole d’exploitation en commun"),
    "5202": ("SNC", "société en nom collectif"),
    "1000": ("EI", "entreprise individuelle"),
    "6220": ("GIE", "groupement d’intérêt économique"),
    "9300": ("fondation", "fondation"),
    "6598": ("EARL", "exploitation agricole à responsabilité limitée"),
    "6317": ("coopérative", "société coopérative agricole"),
    "8420": ("syndicat", "syndicat patronal"),
}


def other_forms(facts: Facts) -> list[str]:
    own = plain(f"{facts.forme} {facts.nom}")
    related = {
        "sasu": "sas",
        "eurl": "sarl",
        "entrepreneur individuel": "entreprise individuelle",
        "selarl": "sarl",
        "selas": "sas",
    }
    own += " " + " ".join(general for word, general in related.items() if word in own)
    return [
        code
        for code, wordings in _FORMS.items()
        if not any(plain(one) in own or own.startswith(plain(one)) for one in wordings)
        and plain(formes_juridiques()[code].libelle).split(" (")[0] not in own
    ]


def other_form(base: Base, chosen: random.Random) -> str | None:
    code = chosen.choice(other_forms(base.facts))
    if not base.facts.siret:
        return None
    changed = retold(base, replace(base.facts, categorie_juridique=code))
    wordings = [formes_juridiques()[code].libelle, *_FORMS[code]]
    if changed is None:
        return None
    return changed if any(spans(changed, one.split(" (")[0]) for one in wordings) else None


def second_form(base: Base, chosen: random.Random) -> str:
    wording = chosen.choice(_FORMS[chosen.choice(other_forms(base.facts))])
    une = "un" if plain(wording).startswith(("group", "gie", "gaec", "syndicat")) else "une"
    pattern = chosen.choice(
        (
            "Il s’agit d’{une} {}.",
            "C’est {une} {}.",
            "L’entreprise est {une} {}.",
            "Elle est constituée sous la forme d’{une} {}.",
            "{Une} {} l’exploite.",
        )
    )
    added = pattern.format(wording, une=une, Une=une.capitalize())
    return f"{base.text} {added}"
