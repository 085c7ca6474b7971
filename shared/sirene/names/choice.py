"""The choice of the one name among all the name fields of an establishment and its unit. Pure.

The three obsolete denominationUsuelle of the unit are never read: stock files and API need not
agree on them, and the establishment's own field replaced them.
"""

import re
from typing import Literal, NamedTuple, Protocol

from shared.sirene.names.display import display_form, display_person
from shared.sirene.names.lexicon import is_word

NomSource = Literal["enseigne", "denomination_usuelle", "denomination", "sigle", "personne"]
"""The field that the name came from."""

ENSEIGNE_LENGTH = 50
"""INSEE cuts a sign at 50 characters into its three fields, be it inside a word."""

# INSEE, or a clerk, writes these words where a name was taken away.
_NO_NAMES = frozenset(
    [
        "SUPPRESSION",
        "SUPPRIME",
        "SUPPRIMEE",
        "SUPPRIMES",
        "SUPPRIMEES",
        "NEANT",
        "AUCUN",
        "AUCUNE",
        "ND",
    ]
)
_REMOVALS = _NO_NAMES | frozenset(
    ["SUPPR", "SANS", "PAS", "PLUS", "ABANDON", "RADIATION", "ABSENCE", "CESSATION"]
)
_THINGS = frozenset(
    [
        "NOM",
        "NOMS",
        "COMMERCIAL",
        "COMMERCIAUX",
        "ENSEIGNE",
        "ENSEIGNES",
        "DENOMINATION",
        "DENOMINATIONS",
        "USUELLE",
        "USUELLES",
        "COMMERCIALE",
        "COMMERCIALES",
        "SOCIALE",
        "SIGLE",
        "SIGLES",
    ]
)
_BETWEEN = frozenset(
    ["DU", "DE", "DES", "D", "LE", "LA", "LES", "L", "ET", "OU", "SON", "SA", "USAGE"]
)
_VOCABULARY = _REMOVALS | _THINGS | _BETWEEN
_WORD = re.compile(r"[^\W_]+")
_ACCENTED_E = str.maketrans("éèêÉÈÊ", "eeeEEE")


class EtablissementNames(Protocol):
    """The name fields of an establishment."""

    @property
    def enseigne1(self) -> str | None: ...
    @property
    def enseigne2(self) -> str | None: ...
    @property
    def enseigne3(self) -> str | None: ...
    @property
    def denomination_usuelle(self) -> str | None: ...
    @property
    def code_commune(self) -> str | None: ...


class UniteNames(Protocol):
    """The name fields of a unit."""

    @property
    def denomination(self) -> str | None: ...
    @property
    def sigle(self) -> str | None: ...
    @property
    def nom(self) -> str | None: ...
    @property
    def nom_usage(self) -> str | None: ...
    @property
    def prenom1(self) -> str | None: ...
    @property
    def prenom_usuel(self) -> str | None: ...


class Name(NamedTuple):
    """The name as it is registered, and the field that it came from.

    `code_commune` and `sigle` help with the display form: the commune's own spelling wins, an
    acronym stays as it is.
    """

    registered: str
    source: NomSource
    code_commune: str | None = None
    sigle: str | None = None

    @property
    def display(self) -> str:
        """Return the name in French case, made when it is asked for; as registered if unsure."""
        if self.source == "personne":
            return display_person(self.registered)
        return display_form(self.registered, code_commune=self.code_commune, sigle=self.sigle)


def display_name(etablissement: EtablissementNames, unite: UniteNames) -> Name | None:
    """Return the name over the door, else the legal name, else a person's; None without any."""
    source: NomSource
    if (name := enseigne_of(etablissement)) is not None:
        source = "enseigne"
    elif (name := meant(etablissement.denomination_usuelle)) is not None:
        source = "denomination_usuelle"
    elif (name := meant(unite.denomination)) is not None:
        source = "denomination"
    elif (name := meant(unite.sigle)) is not None:
        source = "sigle"
    elif (name := _person(unite)) is not None:
        source = "personne"
    else:
        return None
    return Name(name, source, etablissement.code_commune, unite.sigle)


def meant(name: str | None) -> str | None:
    """Return the name; None for INSEE's phrases of suppression and for signs without a letter."""
    first = None if name is None else _WORD.search(name)
    if name is None or first is None:
        return None
    if _plain(first[0]) not in _VOCABULARY:
        return name
    words = frozenset(_WORD.findall(_plain(name)))
    removed = len(words) == 1 and words <= _NO_NAMES
    removed |= words <= _VOCABULARY and not words.isdisjoint(_REMOVALS) and bool(words & _THINGS)
    return None if removed else name


def _plain(text: str) -> str:
    return text.translate(_ACCENTED_E).upper()


def enseigne_of(etablissement: EtablissementNames) -> str | None:
    """Return the sign over the door, joined over its three fields; None where there is none."""
    first = meant(etablissement.enseigne1)
    if etablissement.enseigne2 is None and etablissement.enseigne3 is None:
        return first
    joined, last = "", ""
    for field in (first, meant(etablissement.enseigne2), meant(etablissement.enseigne3)):
        if field is not None and field != last:
            joined = _join(joined, last, field)
            last = field
    return joined or None


def _join(joined: str, last: str, field: str) -> str:
    """Join without a space where the cut is inside a word: a shorter field ends with its word."""
    if not joined:
        return field
    if len(last) >= ENSEIGNE_LENGTH and _is_cut(
        last.rsplit(maxsplit=1)[-1], field.split(maxsplit=1)[0]
    ):
        return joined + field
    return f"{joined} {field}"


def _is_cut(end: str, start: str) -> bool:
    """Return whether the two halves are one word, rather than two words side by side."""
    if not (end[-1].isalnum() and start[0].isalnum()):
        return False
    if is_word(end) and is_word(start):
        return False
    return is_word(end + start) or not is_word(end)


def _person(unite: UniteNames) -> str | None:
    parts = [unite.prenom_usuel or unite.prenom1, unite.nom_usage or unite.nom]
    return " ".join([part for part in parts if part is not None]) or None
