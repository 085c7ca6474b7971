"""Legal forms, each with the wordings that mean the same."""

import re
from collections.abc import Iterator

ACRONYM_LENGTH = 7

_PHRASES: dict[str, tuple[str, ...]] = {
    "sarl": ("societe a responsabilite limitee",),
    "eurl": ("entreprise unipersonnelle a responsabilite limitee", "sarl unipersonnelle",
             "societe a responsabilite limitee unipersonnelle",
             "societe a responsabilite limitee a associe unique", "sarl a associe unique"),
    "sas": ("societe par actions simplifiee", "societe par action simplifiee"),
    "sasu": ("societe par actions simplifiee unipersonnelle",
             "societe par actions simplifiee a associe unique"),
    "sa": ("societe anonyme",),
    "snc": ("societe en nom collectif",),
    "scs": ("societe en commandite simple",),
    "sca": ("societe en commandite par actions",),
    "sci": ("societe civile immobiliere",),
    "scp": ("societe civile professionnelle",),
    "scm": ("societe civile de moyens",),
    "scea": ("societe civile d'exploitation agricole",),
    "scpi": ("societe civile de placement collectif immobilier",),
    "selarl": ("societe d'exercice liberal a responsabilite limitee",),
    "selas": ("societe d'exercice liberal par actions simplifiee",
              "societe d'exercice liberal par action simplifiee"),
    "earl": ("exploitation agricole a responsabilite limitee",),
    "gaec": ("groupement agricole d'exploitation en commun",),
    "gfa": ("groupement foncier agricole",),
    "gie": ("groupement d'interet economique",),
    "gip": ("groupement d'interet public",),
    "cuma": ("cooperative d'utilisation de materiel agricole en commun",),
    "scop": ("societe cooperative ouvriere de production",),
    "ei": ("entreprise individuelle", "entrepreneur individuel", "entrepreneuse individuelle"),
    "micro": ("micro-entreprise", "microentreprise", "auto-entrepreneur", "autoentrepreneur",
              "auto-entreprise", "micro-entrepreneur"),
    "societe europeenne": ("societe europeenne",),
    "association": ("association",),
    "fondation": ("fondation",),
    "mutuelle": ("mutuelle",),
    "syndicat de copropriete": ("syndicat de copropriete", "syndicat des coproprietaires"),
    "syndicat": ("syndicat",),
    "congregation": ("congregation",),
    "fiducie": ("fiducie",),
    "indivision": ("indivision",),
    "etablissement public": ("etablissement public",),
    "cooperative": ("societe cooperative", "cooperative"),
}  # fmt: skip
# A special form may be called by its general form.
_GENERAL = {"eurl": ("sarl",), "sasu": ("sas",), "syndicat de copropriete": ("syndicat",)}
_NOT_ACRONYMS = frozenset(
    {"micro", "association", "fondation", "mutuelle", "syndicat", "congregation", "fiducie",
     "indivision", "cooperative", "societe europeenne", "etablissement public",
     "syndicat de copropriete"}
)  # fmt: skip


def _aliases(group: str, phrases: tuple[str, ...]) -> tuple[str, ...]:
    if group in _NOT_ACRONYMS:
        return phrases
    return (*phrases, group, "".join(f"{letter}." for letter in group))


ALIASES = {group: _aliases(group, phrases) for group, phrases in _PHRASES.items()}
_BY_PHRASE = {phrase: group for group, phrases in _PHRASES.items() for phrase in phrases}
_PHRASE = re.compile(
    r"\b(" + "|".join(sorted(map(re.escape, _BY_PHRASE), key=len, reverse=True)) + r")\b"
)
_ACRONYM = re.compile(
    r"\b("
    + "|".join(
        r"\.?".join(group.upper())
        for group in sorted(_PHRASES, key=len, reverse=True)
        if group not in _NOT_ACRONYMS
    )
    + r")(?![\w'’])"
)


def mentions(rest: str, rest_folded: str) -> Iterator[str]:
    """Yield the groups that are named. Acronyms need capitals: « sa commune » names no SA."""
    for match in _PHRASE.finditer(rest_folded):
        yield _BY_PHRASE[match.group()]
    for match in _ACRONYM.finditer(rest):
        yield match.group().replace(".", "").lower()


def groups(folded_labels: tuple[str, ...]) -> frozenset[str]:
    """Return the groups of these labels, and the more general ones."""
    found: set[str] = set()
    for label in folded_labels:
        found.update(mentions(label.upper(), label))
    return frozenset(found.union(*(_GENERAL.get(group, ()) for group in found)))
