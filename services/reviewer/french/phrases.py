"""Facts as French phrases: legal form, activity, headcount, SIRET."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.reviewer.french.data import FormeJuridique, Genre, formes_juridiques
from services.reviewer.french.grammar import NBSP, en_lettres, le, nombre
from services.reviewer.french.labels import clean_name, readable_activite
from shared.sirene.facts import Facts

# First nouns of the nomenclatures' labels that a sentence can use: « la fabrication de … ».
_HEADS_F = (
    "fabrication production réparation location construction extraction gestion culture "
    "exploitation préparation distribution administration transformation métallurgie industrie "
    "vente fonderie installation confection promotion recherche reproduction collecte "
    "récupération formation organisation conserverie restauration filature réalisation reliure "
    "pêche boulangerie pâtisserie charcuterie coiffure traduction interprétation manutention "
    "sylviculture aquaculture menuiserie édition programmation location-bail création régie "
    "recherche-développement post-production récolte imprimerie projection livraison diffusion "
    "messagerie plomberie horlogerie blanchisserie-teinturerie boulangerie-pâtisserie pisciculture "
    "chaudronnerie maçonnerie conservation apiculture viticulture horticulture taille sidérurgie "
    "réassurance vinification meunerie cokéfaction désinfection évaluation distillation "
    "préparation rénovation démolition ingénierie conception édition"
)
_HEADS_M = (
    "commerce élevage transport conseil enseignement traitement hébergement accueil entreposage "
    "accompagnement "
    "stockage tissage nettoyage entretien contrôle crédit-bail raffinage sciage laminage courtage "
    "affrètement façonnage découpage décolletage tréfilage profilage moulinage captage abattage "
    "revêtement débosselage assemblage déménagement conditionnement ennoblissement rechapage "
    "routage camionnage remorquage usinage forage moulage placement démantèlement"
)
_HEADS_PLURAL = "travaux transports services soins télécommunications études analyses"
_HEADS: Mapping[str, tuple[Genre, bool]] = {
    **dict.fromkeys(_HEADS_F.split(), ("f", False)),
    **dict.fromkeys(_HEADS_M.split(), ("m", False)),
    **dict.fromkeys(_HEADS_PLURAL.split(), ("m", True)),
}

_IN_LETTERS = 10
_GOODS = frozenset({"boulangerie", "charcuterie", "horlogerie", "pâtisserie"})
_OTHER_NOUNS = frozenset({"industries", "maintenance", "montage", "sondages", "télédiffusion"})
_LATER_NOUNS = (frozenset(_HEADS) | _OTHER_NOUNS) - _GOODS
_TITLE_ONLY = re.compile(
    r"[;:«»\"]|\bsauf\b|\bclassée?s? ailleurs|\(tutelle\)| et autre (?!que)| autre que "
    # « Fabrication machines diverses »: INSEE left the preposition out.
    r"|^(?:Fabrication|Commerce) (?:ascenseurs|gros|machines|radiateurs)\b"
)

EFFECTIFS: Mapping[str, tuple[int, int | None]] = {
    "01": (1, 2), "02": (3, 5), "03": (6, 9), "11": (10, 19), "12": (20, 49), "21": (50, 99),
    "22": (100, 199), "31": (200, 249), "32": (250, 499), "41": (500, 999), "42": (1000, 1999),
    "51": (2000, 4999), "52": (5000, 9999), "53": (10000, None),
}  # fmt: skip
"""The least and the most salaried people of each tranche; the largest has no most."""


def forme(facts: Facts) -> FormeJuridique | None:
    """Return the form of the code. A label alone gives None, because its gender is unknown."""
    return formes_juridiques().get(facts.categorie_juridique or "")


@dataclass(frozen=True, slots=True)
class Activite:
    """`intitule` is the label as a title, `en_bas` the same inside a sentence.

    `groupe` is a noun group with article, or None; `pluriel` tells of its first noun.
    """

    intitule: str
    groupe: str | None

    @property
    def en_bas(self) -> str:
        first, second = self.intitule[:1], self.intitule[1:2]
        return self.intitule if second.isupper() else first.lower() + self.intitule[1:]

    @property
    def pluriel(self) -> bool:
        return (self.groupe or "").startswith("les ")


def activite(facts: Facts) -> Activite | None:
    return None if facts.activite is None else activity_of(facts.activite)


def activity_of(label: str) -> Activite | None:
    """Return the phrases of INSEE's label; None for one without a word."""
    text = readable_activite(clean_name(label))
    return Activite(text, _groupe(text)) if text else None


def _groupe(text: str) -> str | None:
    """Return « la fabrication de … », « l'entretien et la réparation de … »; None in doubt."""
    if _TITLE_ONLY.search(text):
        return None
    # INSEE's gloss on « commerce de gros » serves a title, not a sentence.
    head, _, rest = text.replace(" (commerce interentreprises)", "").partition(" ")
    opening = _with_article(head)
    if opening is None or rest == "":
        return opening
    second = re.match(r"(et|ou) (\S+)(?= |$)", rest)
    if second is not None:
        other = _with_article(second.group(2))
        if other is None:
            return None
        opening, rest = f"{opening} {second.group(1)} {other}", rest[second.end() :]
    return None if _has_bare_noun(rest) else f"{opening} {rest.lstrip()}".rstrip()


def _has_bare_noun(rest: str) -> bool:
    """Return whether a second activity lacks an article: « … du pétrole et fabrication de … »."""
    nouns = re.findall(r"(?:,| et| ou) (\w+)", rest)
    return not _LATER_NOUNS.isdisjoint(nouns)


def _with_article(head: str) -> str | None:
    word = head[0].lower() + head[1:]
    known = _HEADS.get(word)
    if known is None:
        return None
    genre, plural = known
    return le(word, genre, plural=plural)


def effectif(tranche: str | None) -> str | None:
    """Return « entre 3 et 5 salariés »; None for NN, 00 and an unknown tranche.

    Tranche 00 has a sentence of its own: nobody at the end of the year, some people during it.
    """
    bounds = EFFECTIFS.get(tranche or "")
    if bounds is None:
        return None
    lower, upper = bounds
    if upper is None:
        return f"{nombre(lower)}{NBSP}salariés ou plus"
    if (lower, upper) == (1, 2):
        return f"1 ou 2{NBSP}salariés"
    return f"entre {nombre(lower)} et {nombre(upper)}{NBSP}salariés"


def people(tranche: str, noun: str) -> str:
    """Return « trois à cinq salariés », « une ou deux personnes »."""
    lower, upper = EFFECTIFS[tranche]
    if upper is None:
        return f"{nombre(lower)}{NBSP}{noun}s ou plus"
    if (lower, upper) == (1, 2):
        return f"{'un' if noun == 'salarié' else 'une'} ou deux {noun}s"
    gap = " " if upper < _IN_LETTERS else NBSP
    return f"{en_lettres(lower)} à {en_lettres(upper)}{gap}{noun}s"


def numero(digits: str) -> str | None:
    """Write a SIRET in its usual groups, « 123 456 789 00012 »; None for anything else."""
    if re.fullmatch(r"\d{14}", digits) is None:
        return None
    groups = (digits[:3], digits[3:6], digits[6:9], digits[9:])
    return NBSP.join(groups)
