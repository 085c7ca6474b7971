"""The conclusions from stored rows alone: the page, its facts, whether an avis is due. Pure.

The writer and the reviewer call the same functions on the same rows, so that both find the same
hash.
"""

import datetime as dt
import functools
import re
import unicodedata
from typing import NamedTuple

from shared.avis import AvisOutcome
from shared.sirene.commune_names import commune_name
from shared.sirene.dates import told_creation
from shared.sirene.facts import Facts
from shared.sirene.identifiers import NOBODY
from shared.sirene.names import display_name, enseigne_of
from shared.sirene.records import (
    OPEN_TO_ALL,
    SOLE_TRADER,
    Etablissement,
    Page,
    PageStatus,
    UniteLegale,
)
from shared.sirene.reference import (
    libelle_activite,
    libelle_categorie_juridique,
    libelle_effectif,
)


class EtablissementFacts(NamedTuple):
    """The columns of an establishment that the functions below read."""

    siret: str
    siren: str
    nic: str
    statut_diffusion: str
    etat_administratif: str | None
    date_dernier_traitement: dt.datetime | None
    date_creation: dt.date | None
    date_debut: dt.date | None
    siege: bool | None
    tranche_effectifs: str | None
    activite_principale: str | None
    nomenclature_activite_principale: str | None
    enseigne1: str | None
    enseigne2: str | None
    enseigne3: str | None
    denomination_usuelle: str | None
    libelle_commune: str | None
    code_commune: str | None
    departement: str | None


class UniteFacts(NamedTuple):
    """The columns of a unit that the functions below read."""

    siren: str
    statut_diffusion: str
    categorie_juridique: str | None
    denomination: str | None
    sigle: str | None
    nom: str | None
    nom_usage: str | None
    prenom1: str | None
    prenom_usuel: str | None
    nic_siege: str | None


ETABLISSEMENT_FACTS = EtablissementFacts._fields
UNITE_FACTS = UniteFacts._fields
AnEtablissement = Etablissement | EtablissementFacts
AUnite = UniteLegale | UniteFacts

ACTIVITE_NOT_YET_KNOWN = "00.00Z"
_SLUG_NOM_LENGTH = 60
_SLUG_COMMUNE_LENGTH = 40
_NAMELESS = "etablissement"
# Letters that Unicode does not decompose; an apostrophe parts two words like any other sign.
_TO_ASCII = str.maketrans(
    {"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ß": "ss", "ø": "o", "Ø": "o", "’": "'", "ʼ": "'"}
)
_NO_WORD = re.compile(r"[^a-z0-9]+")


def is_diffusible(etablissement: AnEtablissement, unite: AUnite) -> bool:
    """Return whether both may be shown; their two statuses are independent."""
    return etablissement.statut_diffusion == unite.statut_diffusion == OPEN_TO_ALL


def page_of(etablissement: AnEtablissement, unite: AUnite) -> Page | None:
    """Return the page of the current activity in the current commune; None without one of them.

    An establishment abroad has no commune; a new one may have no activity yet. The siren of zeros
    is nobody's number.
    """
    if etablissement.siren == NOBODY:
        return None
    activite, code_commune = etablissement.activite_principale, etablissement.code_commune
    if activite is None or activite == ACTIVITE_NOT_YET_KNOWN or code_commune is None:
        return None
    name = display_name(etablissement, unite) if is_diffusible(etablissement, unite) else None
    nom = None if name is None else name.registered
    treated = etablissement.date_dernier_traitement
    commune = commune_name(
        code_commune, etablissement.libelle_commune, None if treated is None else treated.year
    )
    return Page(
        siret=etablissement.siret,
        siren=etablissement.siren,
        activite_principale=activite,
        code_commune=code_commune,
        slug=_slug(nom, commune, etablissement.siret),
        nom=nom,
        nom_source=None if name is None else name.source,
        libelle_activite=libelle_activite(activite, etablissement.nomenclature_activite_principale),
        libelle_commune=commune,
        status=page_status(etablissement),
    )


def page_status(etablissement: AnEtablissement) -> PageStatus:
    return "open" if etablissement.etat_administratif == "A" else "closed"


def _slug(nom: str | None, commune: str | None, siret: str) -> str:
    """Return lower-case ASCII; the siret makes it unique, the rest is for readers."""
    parts = (_ascii(nom or "", _SLUG_NOM_LENGTH) or _NAMELESS, _ascii_commune(commune or ""), siret)
    return "-".join(part for part in parts if part)


def anonymous_slug(siret: str, commune: str | None) -> str:
    """Return the slug of a page whose name must not be shown."""
    return _slug(None, commune, siret)


def _ascii(text: str, length: int) -> str:
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.translate(_TO_ASCII))
        text = decomposed.encode("ascii", "ignore").decode()
    return _NO_WORD.sub("-", text.lower()).strip("-")[:length].rstrip("-")


@functools.lru_cache(maxsize=4096)
def _ascii_commune(commune: str) -> str:
    return _ascii(commune, _SLUG_COMMUNE_LENGTH)


def facts_of(etablissement: AnEtablissement, unite: AUnite, page: Page) -> Facts:
    """Return the facts of a diffusible establishment; they hold its name."""
    created = told_creation(etablissement.date_creation, etablissement.date_debut)
    return Facts(
        siret=etablissement.siret,
        siren=etablissement.siren,
        nom=page.nom or f"Établissement {etablissement.siret}",
        forme=libelle_categorie_juridique(unite.categorie_juridique),
        categorie_juridique=unite.categorie_juridique,
        activite=page.libelle_activite,
        commune=page.libelle_commune,
        code_commune=page.code_commune,
        departement=etablissement.departement,
        annee_creation=None if created is None else created.year,
        date_creation=created,
        tranche_effectifs=etablissement.tranche_effectifs,
        effectif=libelle_effectif(etablissement.tranche_effectifs),
        est_siege=is_siege(etablissement, unite),
        sigle=unite.sigle,
        enseigne=enseigne_of(etablissement),
        denomination=_denomination(unite, page.nom),
    )


def is_siege(etablissement: AnEtablissement, unite: AUnite) -> bool:
    """Return whether the unit names this establishment as its siège.

    Where a siège moves, INSEE need not date the old one anew: its own flag may be out of date.
    """
    if unite.nic_siege is None:
        return etablissement.siege is True
    return etablissement.nic == unite.nic_siege


def _denomination(unite: AUnite, nom: str | None) -> str | None:
    """Return the unit's name if the page bears another one, capitals and spaces aside."""
    if unite.categorie_juridique == SOLE_TRADER or unite.denomination is None:
        return None
    if unite.denomination == nom:
        return None
    return None if _plain(unite.denomination) == _plain(nom or "") else unite.denomination


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def avis_outcome(
    etablissement: AnEtablissement,
    unite: AUnite,
    page_status: PageStatus,
    *,
    sole_traders: bool,
    opposed: bool,
) -> AvisOutcome:
    """Return `pending` where an avis is due, else why none is; reasons of law come first."""
    if not is_diffusible(etablissement, unite):
        return AvisOutcome.SKIPPED_NON_DIFFUSIBLE
    if opposed:
        return AvisOutcome.SKIPPED_OPPOSITION
    if page_status == "closed":
        return AvisOutcome.CANCELLED
    if unite.categorie_juridique == SOLE_TRADER and not sole_traders:
        return AvisOutcome.SKIPPED_SOLE_TRADER
    if not _is_understood(etablissement):
        return AvisOutcome.NOT_UNDERSTOOD
    return AvisOutcome.PENDING


def _is_understood(etablissement: AnEtablissement) -> bool:
    """Say whether a text can tell the activity: without it, a text would say next to nothing."""
    code = etablissement.activite_principale
    name = etablissement.nomenclature_activite_principale
    return code is None or libelle_activite(code, name) is not None
