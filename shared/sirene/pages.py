"""The conclusions from stored rows alone: the page, its facts, whether an avis is due. Pure.

The writer and the reviewer call the same functions on the same rows, so that both find the same
hash.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from shared.avis import AvisOutcome
from shared.sirene.commune_names import commune_name
from shared.sirene.dates import is_plausible, told_creation
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
from shared.sirene.slugs import slug_of
from shared.sirene.streets import street_of


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
    region: str | None
    numero_voie: str | None
    indice_repetition: str | None
    type_voie: str | None
    libelle_voie: str | None
    code_postal: str | None
    annee_effectifs: str | None


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
    date_creation: dt.date | None
    tranche_effectifs: str | None
    annee_effectifs: str | None
    categorie_entreprise: str | None
    annee_categorie_entreprise: str | None
    economie_sociale_solidaire: str | None
    societe_mission: str | None
    caractere_employeur: str | None


ETABLISSEMENT_FACTS = EtablissementFacts._fields
UNITE_FACTS = UniteFacts._fields
AnEtablissement = Etablissement | EtablissementFacts
AUnite = UniteLegale | UniteFacts

ACTIVITE_NOT_YET_KNOWN = "00.00Z"
_PERSONS = frozenset({SOLE_TRADER, None})
_NO_EMPLOYEES = frozenset({None, "NN", "00"})
_TRUTHS: Mapping[str | None, bool] = {"O": True, "N": False}


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
        slug=slug_of(nom, commune, etablissement.siret),
        nom=nom,
        nom_source=None if name is None else name.source,
        libelle_activite=libelle_activite(activite, etablissement.nomenclature_activite_principale),
        libelle_commune=commune,
        status=page_status(etablissement),
    )


def page_status(etablissement: AnEtablissement) -> PageStatus:
    return "open" if etablissement.etat_administratif == "A" else "closed"


def facts_of(etablissement: AnEtablissement, unite: AUnite, page: Page) -> Facts:
    """Return the facts of a diffusible establishment; they hold its name."""
    facts = registered_facts(etablissement, unite, page)
    return facts if facts.adresse is None else replace(facts, voie=_voie(etablissement))


def _voie(etablissement: AnEtablissement) -> str | None:
    return street_of(
        etablissement.numero_voie,
        etablissement.indice_repetition,
        etablissement.type_voie,
        etablissement.libelle_voie,
        etablissement.code_commune,
    )


def registered_facts(etablissement: AnEtablissement, unite: AUnite, page: Page) -> Facts:
    """Return the facts without `voie`: their hash is the same, at a tenth of the time."""
    created = told_creation(etablissement.date_creation, etablissement.date_debut)
    tranche, of_unite = etablissement.tranche_effectifs, unite.tranche_effectifs
    effectif, unite_effectif = libelle_effectif(tranche), libelle_effectif(of_unite)
    categorie = _categorie(unite)
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
        tranche_effectifs=tranche,
        effectif=effectif,
        est_siege=is_siege(etablissement, unite),
        sigle=unite.sigle,
        enseigne=enseigne_of(etablissement),
        denomination=_denomination(unite, page.nom),
        adresse=_adresse(etablissement, unite),
        code_postal=etablissement.code_postal,
        region=etablissement.region,
        annee_effectifs=_year(effectif, etablissement.annee_effectifs),
        unite_date_creation=unite.date_creation if is_plausible(unite.date_creation) else None,
        unite_tranche_effectifs=of_unite,
        unite_effectif=unite_effectif,
        unite_annee_effectifs=_year(unite_effectif, unite.annee_effectifs),
        categorie_entreprise=categorie,
        annee_categorie_entreprise=_year(categorie, unite.annee_categorie_entreprise),
        economie_sociale_solidaire=unite.economie_sociale_solidaire == "O",
        societe_mission=unite.societe_mission == "O",
        employeur=_TRUTHS.get(unite.caractere_employeur),
    )


def _adresse(etablissement: AnEtablissement, unite: AUnite) -> str | None:
    """Return number and street as registered; none for a sole trader, who may live there."""
    voie = etablissement.libelle_voie
    if voie is None or unite.categorie_juridique in _PERSONS:
        return None
    number = (etablissement.numero_voie, etablissement.indice_repetition, etablissement.type_voie)
    return f"{' '.join([part for part in number if part is not None])} {voie}"


def _categorie(unite: AUnite) -> str | None:
    """Return the category of size, which INSEE dates anew each year.

    Nearly every unit is a PME. Its year makes a text due only with that of its headcount.
    """
    categorie = unite.categorie_entreprise
    if categorie == "PME" and unite.tranche_effectifs in _NO_EMPLOYEES:
        return None
    return categorie


def _year(dated: str | None, text: str | None) -> int | None:
    """Return the year of what is dated; where there is nothing to date, none."""
    return int(text) if dated is not None and text is not None and text.isdecimal() else None


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
