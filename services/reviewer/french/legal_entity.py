"""The legal unit as a noun group: « la commune de Clamart », « la SAS Ana Invest »."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.reviewer.french.data import FormeJuridique, Genre
from services.reviewer.french.folding import fold
from services.reviewer.french.grammar import de_le, le
from services.reviewer.french.names import shown, shown_name
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
# Nouns that may stand for the unit, by the first word of its legal form.
_NOUNS = frozenset(
    """
    association caisse congrégation coopérative entreprise exploitation fondation groupement
    indivision institution mutuelle paroisse société syndicat union
    """.split()  # noqa: SIM905 a word list
)
# Acronyms that readers know.
_ACRONYMS = frozenset(
    """
    CUMA EARL GAEC GFA GIE GIP SARL SAS SASU SCA SCEA SCI SCM SCOP SCP SCPI SCS SELARL SELAS SNC
    """.split()  # noqa: SIM905 a word list
)
ORGANISME = "organisme"
"""The noun for a unit whose legal form has none that readers use."""

_COLLECTIVITES = frozenset({"7210", "7220", "7230"})
_FOREIGN = ("31", "32")
_ACRONYM = re.compile(r"\(([A-Z]+)\)")
_REST_OF_A_FORM = re.compile(
    r" \([^)]*\)|(?: et)? à (?:conseil d’administration|directoire)$"
    r"| (?:non )?immatriculée au registre du commerce et des sociétés$"
)


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun for the unit where it was named before: « la société »."""

    word: str
    genre: Genre

    @property
    def le(self) -> str:
        return le(self.word, self.genre)

    @property
    def de(self) -> str:
        return de_le(self.word, self.genre)

    @property
    def pronoun(self) -> str:
        return "il" if self.genre == "m" else "elle"


@dataclass(frozen=True, slots=True)
class Entite:
    """The unit's name as it is shown, and its groups with an article.

    `nommee` is true where the name takes an article itself, as « Commune de Clamart » does; else
    the groups have an acronym or the `noun` before it. `says_form` is true where the name tells
    the legal form, `has_sort` where the groups say what it is: « l'organisme » says nothing.
    """

    nom: str
    le: str
    de: str
    nommee: bool
    says_form: bool
    has_sort: bool
    noun: Noun


def entite(facts: Facts) -> Entite:
    """Return the legal unit's groups, with its denomination or else the establishment's name."""
    nom = shown_name(facts) if facts.denomination is None else shown(facts.denomination, facts)
    form, public = forme(facts), is_public(facts)
    noun = _noun(form)
    genre = _genre_of_name(nom, form, public=public)
    if genre is not None:
        named = _lower(nom) if public else nom
        says = form is None or _says_form(nom, form)
        return Entite(nom, le(named, genre), de_le(named, genre), True, says, True, noun)
    before = Noun(form.libelle, form.genre) if form and form.code == "1000" else noun
    acronym = None if form is None else acronym_of(form)
    if form is not None and acronym is not None:
        before = Noun(acronym, form.genre)
    group = f"{before.word} {nom}"
    has_sort = before.word != ORGANISME
    return Entite(
        nom, le(group, before.genre), de_le(group, before.genre), False, False, has_sort, noun
    )


def is_public(facts: Facts) -> bool:
    return (facts.categorie_juridique or "").startswith(("4", "7"))


def is_foreign(facts: Facts) -> bool:
    """Return whether the unit is of another country: its siège is there, not where Sirene says."""
    return (facts.categorie_juridique or "").startswith(_FOREIGN)


def is_over_the_door(facts: Facts) -> bool:
    """Return whether the establishment's name is its sign."""
    return facts.enseigne is not None and fold(facts.enseigne) == fold(facts.nom)


def short_form(form: FormeJuridique) -> str:
    """Return « société anonyme » for « société anonyme à conseil d’administration »."""
    if acronym_of(form) is None and ("(" in form.libelle or not form.libelle.startswith("société")):
        return form.libelle
    return _REST_OF_A_FORM.sub("", form.libelle)


def acronym_of(form: FormeJuridique) -> str | None:
    """Return the acronym at the end of the form's label, where readers know it."""
    match = _ACRONYM.search(form.libelle)
    if match is None or not form.libelle.endswith(")"):
        return None
    return match.group(1) if match.group(1) in _ACRONYMS else None


def _noun(form: FormeJuridique | None) -> Noun:
    if form is not None and form.code in _COLLECTIVITES:
        return Noun("collectivité", "f")
    head = "" if form is None else form.libelle.partition(" ")[0].rstrip(",")
    return Noun(head, form.genre) if form is not None and head in _NOUNS else Noun(ORGANISME, "m")


def _lower(nom: str) -> str:
    """Return « commune de Clamart » for « Commune de Clamart »; one word alone is a name."""
    return nom[0].lower() + nom[1:] if " " in nom and nom[1:2].islower() else nom


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
    match = _ACRONYM.search(form.libelle)
    return None if match is None else match.group(1).lower()
