"""The legal unit as a noun group with its article: « de la COMMUNE DE CLAMART »."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.reviewer.french.data import FormeJuridique, Genre
from services.reviewer.french.folding import fold
from services.reviewer.french.grammar import a_le, de_le, le
from services.reviewer.french.labels import clean_name
from services.reviewer.french.phrases import forme
from shared.sirene.facts import Facts

# The first words of public bodies' names that do not repeat the legal form.
_PUBLIC_HEADS_F = "agence caisse chambre ecole mairie maternite regie universite ville"
_PUBLIC_HEADS_M = "centre college conseil conservatoire hopital institut lycee musee office"
_PUBLIC_HEADS: Mapping[str, Genre] = {
    **dict.fromkeys(_PUBLIC_HEADS_F.split(), "f"),
    **dict.fromkeys(_PUBLIC_HEADS_M.split(), "m"),
}
# These words begin several forms: a name that begins with one does not tell its form.
_VAGUE_HEADS = frozenset(
    """
    caisse centre comite ecole etablissement exploitation groupement institution organisme
    service societe union
    """.split()  # noqa: SIM905 a word list
)
_LONGEST_FORM_BEFORE_A_NAME = 3


@dataclass(frozen=True, slots=True)
class Entite:
    """`precision` is a comma and the legal form, where the group does not tell it.

    `nommee` is true where the name takes an article itself, as « COMMUNE DE CLAMART » does.
    """

    le: str
    de: str
    a: str
    precision: str
    nommee: bool


def entite(facts: Facts) -> Entite:
    """Return the legal unit's group, with its denomination or else the establishment's name."""
    nom = clean_name(facts.denomination or facts.nom)
    form = forme(facts)
    genre = _genre_of_name(nom, form, public=is_public(facts))
    if genre is not None:
        says_form = form is None or _says_form(nom, form)
        return _group(nom, genre, precision=None if says_form else form, nommee=True)
    if form is not None and _goes_before_a_name(form):
        return _group(f"{form.libelle} {nom}", form.genre)
    return _group(f"entité {nom}", "f", precision=form)


def is_public(facts: Facts) -> bool:
    return (facts.categorie_juridique or "").startswith(("4", "7"))


def _group(
    noun: str, genre: Genre, *, precision: FormeJuridique | None = None, nommee: bool = False
) -> Entite:
    return Entite(
        le=le(noun, genre),
        de=de_le(noun, genre),
        a=a_le(noun, genre),
        precision="" if precision is None else f", {precision.libelle}",
        nommee=nommee,
    )


def _genre_of_name(nom: str, form: FormeJuridique | None, *, public: bool) -> Genre | None:
    """Return None for a name that takes no article, such as a brand."""
    head, _, rest = fold(nom).partition(" ")
    if rest == "" and not public:
        return None
    if form is not None and (head == _words(form)[0] or head.replace(".", "") == _acronym(form)):
        return form.genre
    return _PUBLIC_HEADS.get(head) if public else None


def _says_form(nom: str, form: FormeJuridique) -> bool:
    folded = fold(nom)
    if folded.startswith(" ".join(_words(form))):
        return True
    head = folded.partition(" ")[0]
    if head.replace(".", "") == _acronym(form):
        return True
    if form.libelle == "commune":
        return head in {"commune", "mairie", "ville"}
    return head == _words(form)[0] and head not in _VAGUE_HEADS


def _words(form: FormeJuridique) -> list[str]:
    return fold(form.libelle.partition(" (")[0]).split()


def _acronym(form: FormeJuridique) -> str | None:
    match = re.search(r"\(([A-Z]+)\)", form.libelle)
    return None if match is None else match.group(1).lower()


def _goes_before_a_name(form: FormeJuridique) -> bool:
    """Return True for « société civile immobilière (SCI) », False for « indivision avec … »."""
    words = _words(form)
    return form.libelle.endswith(")") or len(words) <= _LONGEST_FORM_BEFORE_A_NAME
