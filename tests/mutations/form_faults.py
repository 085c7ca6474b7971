"""Faulty texts: not a finished French text, or more than the text."""

import random
import re

from tests.mutations.bases import Base
from tests.mutations.edits import Mutate


def cut(base: Base, chosen: random.Random) -> str:
    words = base.text.split(" ")
    kept = " ".join(words[: chosen.randrange(len(words) // 2, len(words))])
    return kept.rstrip(".»!? ") + chosen.choice(("", "", ",", " -", " ("))


def cut_in_a_word(base: Base, chosen: random.Random) -> str:
    place = chosen.randrange(len(base.text) // 2, len(base.text) - 2)
    return base.text[:place].rstrip(".»!? ")


def few_words(base: Base, chosen: random.Random) -> str:
    return chosen.choice(
        (
            f"{base.facts.nom} est une entreprise.",
            f"{base.facts.nom}.",
            "Elle est enregistrée au répertoire Sirene.",
            "Entreprise située dans la commune, enregistrée au répertoire Sirene.",
            " ".join(base.text.split()[: chosen.randrange(3, 14)]).rstrip(" ,.") + ".",
        )
    )


_PADDING = (
    "L’établissement est enregistré au répertoire Sirene, qui est tenu par l’Insee.",
    "Il exerce son activité dans la commune et y figure parmi les établissements actifs.",
    "Cette activité est celle qui est déclarée à titre principal dans le répertoire.",
    "Le répertoire Sirene est le registre officiel des entreprises et des établissements.",
    "Chaque établissement y est identifié par un numéro et par une adresse.",
    "La forme juridique est celle qui figure au registre pour cette entreprise.",
    "L’établissement appartient à une entreprise dont il constitue une partie.",
    "Son enregistrement précise la commune, l’activité et la forme juridique.",
    "La nomenclature française classe chaque activité dans une rubrique.",
    "Les éléments cités sont tirés de cette source officielle et publique.",
    "L’entreprise est immatriculée et son établissement est inscrit au même répertoire.",
    "Le numéro attribué à l’établissement permet de le retrouver dans ce répertoire.",
    "La date de création correspond à celle qui est enregistrée au répertoire.",
    "L’effectif est donné par tranche, selon la dernière déclaration de l’entreprise.",
    "La commune est celle où l’établissement exerce son activité principale.",
)


def padded(base: Base, chosen: random.Random) -> str:
    return " ".join((base.text, *chosen.sample(_PADDING, len(_PADDING) - chosen.randrange(2))))


def word_list(base: Base, chosen: random.Random) -> str:
    words = re.findall(r"\w+", base.text)
    chosen.shuffle(words)
    short = {"est", "a", "sont", "se", "exerce", "emploie", "déclare", "compte", "existe"}
    return ", ".join(word for word in words if word.lower() not in short) + "."


def in_english(base: Base, chosen: random.Random) -> str:
    nom, commune = base.facts.nom, base.facts.commune
    return chosen.choice(
        (
            (
                f"{nom} is a French company located in {commune}. It was registered several years "
                f"ago and its main business is recorded as follows: {base.facts.activite}."
            ),
            (
                f"{nom}, based in {commune}, runs a business listed under the heading "
                f"“{base.facts.activite}” in the national register of companies."
            ),
            (
                f"{nom} es una empresa situada en {commune}. Su actividad principal es la "
                f"siguiente: {base.facts.activite}. Está inscrita en el registro nacional."
            ),
            (
                f"{nom} ist ein Unternehmen mit Sitz in {commune}. Die Haupttätigkeit lautet: "
                f"{base.facts.activite}. Es ist im nationalen Register eingetragen."
            ),
        )
    )


def wrap(before: str, after: str) -> Mutate:
    def wrap(base: Base, chosen: random.Random) -> str:
        words = base.text.split(" ")
        place = chosen.randrange(len(words) - 3)
        words[place] = before + words[place]
        words[place + 2] += after
        return " ".join(words)

    return wrap


def bullets(base: Base, _chosen: random.Random) -> str:
    return "\n".join(f"- {one}" for one in re.split(r"(?<=\.) ", base.text))


def numbered(base: Base, _chosen: random.Random) -> str:
    parts = re.split(r"(?<=\.) ", base.text)
    return "\n".join(f"{place}. {one}" for place, one in enumerate(parts, 1))


def titled(base: Base, chosen: random.Random) -> str:
    return f"{'#' * chosen.randrange(1, 4)} Présentation\n\n{base.text}"


_CONTROLS = (
    "\x00\x07\x08\x1b\x7f\x85\u00ad\u200b\u200d\u200e\u202e\u2066\ufeff\ue000\ufffe\U000e0041"
)


def with_control(base: Base, chosen: random.Random) -> str:
    place = chosen.randrange(1, len(base.text) - 1)
    return base.text[:place] + chosen.choice(_CONTROLS) + base.text[place:]


def misread(*codecs: str) -> Mutate:
    def misread(base: Base, chosen: random.Random) -> str | None:
        text = base.text.encode().decode(chosen.choice(codecs), "replace")
        return text if text != base.text else None

    return misread


def twice(base: Base, chosen: random.Random) -> str:
    parts = re.split(r"(?<=\.) ", base.text)
    place = chosen.randrange(len(parts))
    return " ".join((*parts, parts[place]))


def stutter(base: Base, chosen: random.Random) -> str | None:
    words = base.text.split(" ")
    places = [place for place, word in enumerate(words) if re.fullmatch(r"[a-zéèêà]{3,}", word)]
    if not places:
        return None
    place = chosen.choice(places)
    return " ".join((*words[:place], words[place], *words[place:]))


def capitals(base: Base, chosen: random.Random) -> str:
    if chosen.random() < 0.5:
        return base.text.upper()
    parts = re.split(r"(?<=\.) ", base.text)
    parts[-1] = "CE TEXTE EST TIRÉ DU RÉPERTOIRE SIRENE, QUI EST TENU PAR L’INSEE."
    return " ".join(part.upper() for part in parts)


def json(base: Base, chosen: random.Random) -> str:
    return chosen.choice(
        (
            f'{{"text": "{base.text}"',
            f'{{"text": "{base.text}"}}',
            f'{{"notice": {{"texte": "{base.text}"}}',
            f'["{base.text}"]',
            f"{{'text': '{base.text}'}}",
            f'```json\n{{"text": "{base.text}"}}\n```',
        )
    )


def prompt_of(base: Base, _chosen: random.Random) -> str:
    facts = base.facts
    return f"{base.text} nom={facts.nom} ; commune={facts.commune} ; activité={facts.activite}."
