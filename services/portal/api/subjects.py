"""An establishment with its unit as the API shows it: all of it, or what diffusion allows.

What INSEE masks is masked here once more, whatever the rows hold.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from services.portal.api.models import Adresse, EtablissementFiche, Etat, Lien, UniteFiche
from services.portal.api.statements import SUBJECT_COLUMNS, UNITE_COLUMNS
from shared.sirene.dates import told_creation
from shared.sirene.facts import Facts
from shared.sirene.pages import (
    ETABLISSEMENT_FACTS,
    UNITE_FACTS,
    EtablissementFacts,
    UniteFacts,
    facts_of,
    is_diffusible,
    is_siege,
    page_of,
    page_status,
)
from shared.sirene.records import OPEN_TO_ALL, PARTIAL, SOLE_TRADER, Page
from shared.sirene.reference import libelle_categorie_juridique

_ETABLISSEMENT = [f"e_{name}" for name in ETABLISSEMENT_FACTS]
_UNITE = [f"u_{name}" for name in UNITE_FACTS]
_PERSONS = frozenset({SOLE_TRADER, None})
_TRUTHS: Mapping[str | None, bool] = {"O": True, "N": False}


def fiche_of(values: Sequence[Any]) -> EtablissementFiche:
    """Return the establishment of a row of `SUBJECT_COLUMNS`."""
    row = dict(zip(SUBJECT_COLUMNS, values, strict=True))
    etablissement = EtablissementFacts(*(row[name] for name in _ETABLISSEMENT))
    unite = UniteFacts(*(row[name] for name in _UNITE))
    if not is_diffusible(etablissement, unite):
        return _masked(row, etablissement, unite)
    page = page_of(etablissement, unite)
    facts = None if page is None else facts_of(etablissement, unite, page)
    return EtablissementFiche(
        siret=etablissement.siret,
        siren=etablissement.siren,
        diffusible=True,
        nom=None if page is None else page.nom,
        enseigne=None if facts is None else facts.enseigne,
        etat=_etat(etablissement),
        siege=is_siege(etablissement, unite),
        activite_principale=etablissement.activite_principale,
        libelle_activite=None if page is None else page.libelle_activite,
        date_creation=told_creation(etablissement.date_creation, etablissement.date_debut),
        tranche_effectif_salarie=etablissement.tranche_effectifs,
        libelle_effectif=None if facts is None else facts.effectif,
        annee_effectif_salarie=None if facts is None else facts.annee_effectifs,
        adresse=_adresse(etablissement, facts, page),
        unite=_unite_of(unite, row["u_etat_administratif"]),
        page=_path(row),
    )


def lien_of(values: Sequence[Any]) -> Lien:
    """Return the establishment of a row of `SUBJECT_COLUMNS`, shortly."""
    fiche = fiche_of(values)
    return Lien(
        siret=fiche.siret,
        nom=fiche.nom,
        etat=fiche.etat,
        siege=fiche.siege,
        activite_principale=fiche.activite_principale,
        code_commune=fiche.adresse.code_commune,
        libelle_commune=fiche.adresse.libelle_commune,
        page=fiche.page,
    )


def unite_of(values: Sequence[Any]) -> UniteFiche:
    """Return the unit of a row of `UNITE_COLUMNS`."""
    row = dict(zip(UNITE_COLUMNS, values, strict=True))
    return _unite_of(UniteFacts(*(row[name] for name in UNITE_FACTS)), row["etat_administratif"])


def _unite_of(unite: UniteFacts, etat: str | None) -> UniteFiche:
    is_shown = unite.statut_diffusion == OPEN_TO_ALL

    def shown(value: Any) -> Any:
        return value if is_shown else None

    forme = unite.categorie_juridique
    return UniteFiche(
        siren=unite.siren,
        diffusible=is_shown,
        nom=shown(_name_of_unite(unite)),
        sigle=shown(unite.sigle),
        nature_juridique=shown(forme),
        libelle_nature_juridique=shown(libelle_categorie_juridique(forme)),
        etat_administratif=etat,
        date_creation=shown(unite.date_creation),
        tranche_effectif_salarie=shown(unite.tranche_effectifs),
        annee_effectif_salarie=shown(_year(unite.annee_effectifs)),
        categorie_entreprise=shown(unite.categorie_entreprise),
        economie_sociale_solidaire=shown(_TRUTHS.get(unite.economie_sociale_solidaire)),
        societe_mission=shown(_TRUTHS.get(unite.societe_mission)),
    )


def _masked(
    row: Mapping[str, Any], etablissement: EtablissementFacts, unite: UniteFacts
) -> EtablissementFiche:
    """Return what may be shown of an objector: number, state, commune, activity."""
    place = Adresse(
        voie=None,
        code_postal=None,
        code_commune=etablissement.code_commune,
        libelle_commune=row["p_libelle_commune"] or etablissement.libelle_commune,
        departement=etablissement.departement,
        region=etablissement.region,
    )
    if unite.categorie_juridique in _PERSONS:
        # The person of a masked establishment is the unit's.
        unite = unite._replace(statut_diffusion=PARTIAL)
    return EtablissementFiche(
        siret=etablissement.siret,
        siren=etablissement.siren,
        diffusible=False,
        nom=None,
        enseigne=None,
        etat=_etat(etablissement),
        siege=is_siege(etablissement, unite),
        activite_principale=etablissement.activite_principale,
        libelle_activite=row["p_libelle_activite"],
        date_creation=None,
        tranche_effectif_salarie=None,
        libelle_effectif=None,
        annee_effectif_salarie=None,
        adresse=place,
        unite=_unite_of(unite, row["u_etat_administratif"]),
        page=_path(row) if row["p_nom"] is None else None,
    )


def _name_of_unite(unite: UniteFacts) -> str | None:
    if unite.denomination is not None:
        return unite.denomination
    names = (unite.prenom_usuel or unite.prenom1, unite.nom_usage or unite.nom)
    return " ".join(name for name in names if name) or None


def _adresse(etablissement: EtablissementFacts, facts: Facts | None, page: Page | None) -> Adresse:
    return Adresse(
        voie=None if facts is None else facts.voie or facts.adresse,
        code_postal=None if facts is None else facts.code_postal,
        code_commune=etablissement.code_commune,
        libelle_commune=etablissement.libelle_commune if page is None else page.libelle_commune,
        departement=etablissement.departement,
        region=etablissement.region,
    )


def _etat(etablissement: EtablissementFacts) -> Etat:
    return "A" if page_status(etablissement) == "open" else "F"


def _path(row: Mapping[str, Any]) -> str | None:
    """Return the address of the page; that of a closed one leads nowhere."""
    return f"/pages/{row['p_slug']}" if row["p_status"] == "open" else None


def _year(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
